"""What this machine keeps and a command can name: keys, profiles, chats. Files are read, no keyring is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.commands.completing.surroundings import context_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_cli.commands.completing.cursor import Cursor

MOST_CHATS = 50
"""Chats that are offered, the last changed ones; a list of all would be no help."""

_SECONDS_FOR_CHATS = 0.2


def keys(cursor: Cursor) -> Iterator[tuple[str, str]]:
    """The fingerprints of this machine's keys, each with its profile and origin.

    Raises:
        CliError: The list cannot be read.
    """
    from ollama_cli.credentials.public_key import fingerprint_of

    for record in context_of(cursor).wallet.records():
        yield fingerprint_of(record.public_key), f"{record.profile}, {record.origin}"


def profiles(cursor: Cursor) -> list[str]:
    """The profiles of this machine, the default one first.

    Raises:
        CliError: The list cannot be read.
    """
    return context_of(cursor).wallet.profiles.listing().profiles


def chats(cursor: Cursor) -> Iterator[tuple[str, str]]:
    """The numbers of the chats that were kept, the last changed first, each with its title.

    Raises:
        CliError: They cannot be read, or another program is writing to them.
    """
    from ollama_cli.chat.kept.archive import Archive

    path = context_of(cursor).archive.database.path
    for chat in Archive(path, lock_seconds=_SECONDS_FOR_CHATS).chats()[:MOST_CHATS]:
        yield str(chat.id), chat.title

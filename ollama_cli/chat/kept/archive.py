"""The chats that are kept: listed, read, searched and removed."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ollama_cli.chat.kept.database import Database
from ollama_cli.chat.kept.form import message_of, session_of
from ollama_cli.chat.kept.searching import Pattern
from ollama_cli.chat.kept.stored import ChatFacts, Found, StoredChat
from ollama_cli.errors import ArchiveError, UsageError

HOW_TO_KEEP = "`ollama-cli run MODEL --keep` keeps a chat; OLLAMA_CLI_KEEP=1 keeps every one."

_FACTS = """
    SELECT id, title, model, created_at, changed_at, revision,
        (SELECT count(*) FROM messages WHERE messages.chat = chats.id)
    FROM chats
"""
_LONGEST_ID = 18  # digits that SQLite's numbers have room for


class Archive:
    """All kept chats of a person, in one file.

    Every method raises an :class:`~ollama_cli.errors.ArchiveError` where the file cannot be used.

    Args:
        path: The file; it need not be there.
        lock_seconds: How long to wait for another process that writes to it.
    """

    def __init__(self, path: Path, *, lock_seconds: float = 20.0) -> None:
        self.database = Database(path, lock_seconds=lock_seconds)

    def check_writable(self) -> None:
        """Make the file, if need be, and see that it can be written."""
        with self.database.writing():
            pass

    def chats(self) -> list[ChatFacts]:
        """Every chat, the last changed first."""
        with self.database.reading() as connection:
            rows = [] if connection is None else connection.execute(f"{_FACTS} ORDER BY revision DESC").fetchall()
        return [self._facts(row) for row in rows]

    def ids(self) -> list[int]:
        """Every chat's id, also of one that cannot be read."""
        with self.database.reading() as connection:
            rows = [] if connection is None else connection.execute("SELECT id FROM chats ORDER BY id").fetchall()
        return [row[0] for row in rows]

    def find(self, number: int | None = None) -> StoredChat:
        """Read a chat.

        Args:
            number: Its id; None is the one that was changed last.

        Raises:
            UsageError: There is no such chat.
        """
        with self.database.reading() as connection:
            row = None if connection is None else _row(connection, number)
            if connection is None or row is None:
                raise no_chat(number)
            (settings,) = connection.execute("SELECT settings FROM chats WHERE id = ?", row[:1]).fetchone()
            rows = connection.execute(
                "SELECT role, content, rest FROM messages WHERE chat = ? ORDER BY position", row[:1]
            ).fetchall()
        facts = self._facts(row)
        try:
            messages = tuple(message_of(*row) for row in rows)
            return StoredChat(facts, session_of(settings, messages), messages, settings)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self._damaged(facts.id) from error

    def search(self, patterns: Sequence[Pattern]) -> list[tuple[ChatFacts, list[Found]]]:
        """Find the messages that hold every one of some texts.

        Returns:
            The chats, the last changed first, each with its messages in order.
        """
        found: dict[int, list[Found]] = {}
        with self.database.reading() as connection:
            if connection is None:
                return []
            messages = connection.execute("SELECT chat, position, role, content FROM messages ORDER BY chat, position")
            for chat, position, role, content in messages:
                if not (isinstance(position, int) and isinstance(role, str)):
                    raise self._damaged(chat)
                snippet = Pattern.snippet(patterns, str(content))
                if snippet is not None:
                    found.setdefault(chat, []).append(Found(position + 1, role, snippet))
            rows = connection.execute(f"{_FACTS} ORDER BY revision DESC").fetchall()
        return [(self._facts(row), found[row[0]]) for row in rows if row[0] in found]

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove chats; one that is not there is no error."""
        with self.database.writing() as connection:
            connection.executemany("DELETE FROM chats WHERE id = ?", [(number,) for number in numbers])

    def _facts(self, row: Sequence[Any]) -> ChatFacts:
        try:
            return ChatFacts.of(row)
        except (ValueError, TypeError) as error:
            raise self._damaged(row[0]) from error

    def _damaged(self, number: int) -> ArchiveError:
        return ArchiveError(
            f"Chat {number} in {self.database.path} is damaged: it holds what no chat holds.",
            hint=f"`ollama-cli chats remove {number}` removes it; the others stay.",
            code="chats_damaged",
        )


def parse_id(text: str) -> int:
    """Read a chat's id.

    Raises:
        UsageError: No chat has such an id.
    """
    if not re.fullmatch(r"[0-9]+", text) or len(text) > _LONGEST_ID:
        raise UsageError(
            f"{text!r} is no chat's id; ids are numbers.", hint="See `ollama-cli chats list`.", code="chat_unknown"
        )
    return int(text)


def no_chat(number: int | None) -> UsageError:
    """The error for a chat that is not kept.

    Args:
        number: Its id; None where any would have done.
    """
    if number is None:
        return UsageError("No chat is kept.", hint=HOW_TO_KEEP, code="chat_unknown")
    return UsageError(f"There is no kept chat {number}.", hint="See `ollama-cli chats list`.", code="chat_unknown")


def _row(connection: sqlite3.Connection, number: int | None) -> tuple[Any, ...] | None:
    if number is None:
        row = connection.execute(f"{_FACTS} ORDER BY revision DESC LIMIT 1").fetchone()
    else:
        row = connection.execute(f"{_FACTS} WHERE id = ?", (number,)).fetchone()
    return None if row is None else tuple(row)

"""The token that requests have to bring: from the environment, from a file, or made here and kept in one.

It is never given on the command line, where every user of the machine could read it, and never printed.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import TextIO

from ollama_cli.credentials.files import locked_file, read_file, refuse_unsafe, write_atomically
from ollama_cli.errors import UsageError
from ollama_cli.secret import Secret

SHORTEST = 16
"""Characters that a token has at least: a shorter one could be guessed."""

_LONGEST = 4096
_USABLE = re.compile(r"[!-~]+")


def token_from(text: str, source: str) -> Secret:
    """A token that is given.

    Args:
        text: As it stands there; blanks around it do not count.
        source: Where that is, for a person.

    Raises:
        UsageError: It is too short, or could not stand in a header.
    """
    token = text.strip()
    if not SHORTEST <= len(token) <= _LONGEST or not _USABLE.fullmatch(token):
        raise UsageError(
            f"{source} holds no token that can be used: it is one word of {SHORTEST} letters or more, from A to z, "
            "digits and signs.",
            hint="`openssl rand -hex 32` makes one; or leave it out, and one is made.",
            code="bad_token",
        )
    return Secret(token)


def token_in(path: Path, stdin: TextIO) -> Secret:
    """The token in a file that was named.

    Args:
        path: The file; ``-`` is standard input, of which a line is read: what writes there may go on living.
        stdin: That.

    Raises:
        UsageError: It cannot be read, or holds none.
    """
    if str(path) == "-":
        return token_from(stdin.readline(_LONGEST + 2), "Standard input")
    return _token_in_file(path)


def _token_in_file(path: Path) -> Secret:
    try:
        text = read_file(path).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.", code="bad_token") from error
    return token_from(text, str(path))


def kept_token(path: Path) -> Secret:
    """The token in a file of ours, made now where there is none.

    Raises:
        UsageError: The file holds no token.
        StoreError: It cannot be written, or others could have put theirs there.
    """
    refuse_unsafe(path.parent)
    if not os.path.exists(path):  # noqa: PTH110 - where it may not be looked for, it cannot be written either
        _make(path)
    refuse_unsafe(path)
    return _token_in_file(path)


def _make(path: Path) -> None:
    """Make a token, unless a server that starts in the same moment has just made it."""
    with locked_file(path.with_name(f"{path.name}.lock")):
        if not path.exists():
            write_atomically(path, f"{secrets.token_urlsafe(32)}\n")

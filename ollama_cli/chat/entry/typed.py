"""What a typed entry is: a message, a command, or one that goes on on the next line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ollama_cli.errors import UsageError

QUOTES = '"""'
_SYSTEM = re.compile(r'/set\s+system\s+"""')


@dataclass(frozen=True)
class Entry:
    """What a person entered.

    Attributes:
        text: As it was typed.
        pasted: Whether its beginning was pasted, so that a slash there begins no command.
    """

    text: str
    pasted: bool = False

    @property
    def is_command(self) -> bool:
        """Whether it begins with a slash that was typed."""
        return self.text.startswith("/") and not self.pasted

    @property
    def message(self) -> str:
        """The message, without the quotes around one of several lines."""
        return self.text.removeprefix(QUOTES).removesuffix(QUOTES) if self.text.startswith(QUOTES) else self.text


def typed_path(text: str) -> Path:
    """The path that was typed for a file.

    Raises:
        UsageError: It begins with the home of a user who has none.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text} is in the home of a user that is not known here.", code="bad_file") from error


def goes_on(text: str) -> bool:
    """Whether an entry has opened quotes that it has not closed yet."""
    opening = _SYSTEM.match(text)
    begun = opening.end() if opening else len(QUOTES) if text.startswith(QUOTES) else None
    return begun is not None and not text[begun:].endswith(QUOTES)


def system_text(typed: str) -> str:
    """The text of ``/set system``, without quotes around it.

    Of a text of several lines the first two are joined, as the reference does; all others stay lines.
    """
    if not typed.startswith(QUOTES):
        return typed
    return typed.removeprefix(QUOTES).removesuffix(QUOTES).replace("\n", "", 1)

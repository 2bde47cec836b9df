"""What the archive tells of a chat, of all of it, and of what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session

_TYPES = (int, str, str, int, int, int, int)
_END_OF_DATES = 253_402_300_800  # the year 10000, in unix seconds


@dataclass(frozen=True)
class ChatFacts:
    """What is known of a kept chat without reading it.

    Attributes:
        id: Its number; never given to another chat.
        title: The beginning of its first question.
        model: The model, as ``run`` takes it.
        created_at: When it was first written, in unix seconds.
        changed_at: When it was last written, in unix seconds.
        revision: Greater with each change of any chat.
        messages: How many messages it has.
    """

    id: int
    title: str
    model: str
    created_at: int
    changed_at: int
    revision: int
    messages: int

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """The facts from a row of the archive.

        Raises:
            TypeError, ValueError: They are none; the file may have been changed by another program.
        """
        facts = cls(*row)
        if not all(isinstance(value, kind) for value, kind in zip(row, _TYPES, strict=True)):
            raise TypeError("a fact of another type")
        if not all(0 <= time < _END_OF_DATES for time in (facts.created_at, facts.changed_at)):
            raise ValueError("a time that is none")
        return facts

    @property
    def changed_on(self) -> str:
        """The minute in which it was last written, where this machine is."""
        return datetime.fromtimestamp(self.changed_at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")

    def as_json(self) -> dict[str, Any]:
        """The facts as ``--json`` prints them; times in UTC."""
        return {
            "id": self.id,
            "title": self.title,
            "model": self.model,
            "created": _utc(self.created_at),
            "changed": _utc(self.changed_at),
            "messages": self.messages,
        }


@dataclass(frozen=True)
class StoredChat:
    """A kept chat, read whole.

    Attributes:
        facts: What the list tells of it.
        session: The conversation with its settings, to be gone on with.
        messages: Its messages as they are kept.
        settings: Its settings as they are kept, as JSON.
    """

    facts: ChatFacts
    session: Session
    messages: tuple[Message, ...]
    settings: str


@dataclass(frozen=True)
class Found:
    """A message in which all was found that was searched for.

    Attributes:
        position: Its place in the chat, from 1.
        role: Who wrote it.
        snippet: A part of it with what was found, on one line.
    """

    position: int
    role: str
    snippet: str


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

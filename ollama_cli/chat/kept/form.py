"""The form in which a session and its messages are kept, and back again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import NoneType
from typing import Any

from ollama_cli.api.foreign_json import finite
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session

_LONGEST_TITLE = 80
_KINDS: dict[str, tuple[type, ...]] = {
    "model": (str,),
    "system": (str,),
    "think": (bool, str, NoneType),
    "format": (str, dict, NoneType),
    "keep_alive": (str, NoneType),
    "parent_model": (str,),
}
"""What the settings of a session are; the file may have been changed by another program."""


def settings_json(session: Session) -> str:
    """All of a session but its messages."""
    return json.dumps(
        {
            "model": session.model,
            "loaded": [message.as_json() for message in session.loaded],
            "system": session.system,
            "think": session.think,
            "format": session.format,
            "keep_alive": session.keep_alive,
            "parameters": session.parameters,
            "parent_model": session.parent_model,
        }
    )


def session_of(kept: str, messages: Sequence[Message]) -> Session:
    """A session from what was kept of it.

    Raises:
        AttributeError, KeyError, RecursionError, TypeError, ValueError: It is not what was kept.
    """
    settings = _read(kept)
    session = Session(
        model=settings["model"],
        messages=list(messages),
        loaded=tuple(Message.from_json(message) for message in settings["loaded"]),
        system=settings["system"],
        think=settings["think"],
        format=settings["format"],
        keep_alive=settings["keep_alive"],
        parameters=dict(settings["parameters"]),
        parent_model=settings["parent_model"],
    )
    if not all(isinstance(getattr(session, name), kinds) for name, kinds in _KINDS.items()):
        raise TypeError("a setting of another type")
    return session


def message_row(message: Message) -> tuple[str, str, str]:
    """Role, text, and the rest of a message as JSON."""
    rest = message.as_json()
    return rest.pop("role"), storable(rest.pop("content")), json.dumps(rest)


def message_of(role: str, content: str, rest: str) -> Message:
    """A message from its role, its text, and the rest as JSON.

    Raises:
        AttributeError, RecursionError, TypeError, ValueError: It is none.
    """
    return Message.from_json({**_read(rest), "role": role, "content": content})


def _read(text: str) -> Any:  # noqa: ANN401 - what it is shows in reading
    """Read JSON of ours, which another program may have changed; numbers come back as they were.

    Raises:
        RecursionError, ValueError: It is none.
    """
    return json.loads(text, parse_constant=finite, parse_float=finite)


def title_of(messages: Sequence[Message]) -> str:
    """The first line of the first question, cut where it is long."""
    question = next((message.content for message in messages if message.role == "user"), "")
    line = " ".join(next((line for line in question.splitlines() if line.strip()), "").split())
    if not line:
        return "(no text)"
    return storable(line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1].rstrip()}…")


def storable(text: str) -> str:
    """A text that can be written as UTF-8: half a surrogate pair, which JSON can bring, becomes a mark."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

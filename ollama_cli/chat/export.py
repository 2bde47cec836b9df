"""A conversation as a file: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ollama_cli.chat.messages import Message

_WHO = {"system": "System", "user": "You", "assistant": "Model", "tool": "Tool"}


def as_markdown(model: str, messages: Iterable[Message], title: str = "") -> str:
    """The conversation as Markdown, a heading a message; what the model thought is left out."""
    parts = [f"# {title}\n\nA conversation with {model}\n" if title else f"# A conversation with {model}\n"]
    for message in messages:
        files = f"\n\n({len(message.images)} file(s) went along)" if message.images else ""
        parts.append(f"## {_WHO[message.role]}\n\n{message.content}{files}\n")
    return "\n".join(parts)


def as_json(model: str, messages: Iterable[Message]) -> str:
    """The conversation as one JSON object, its messages as ``/api/chat`` takes them."""
    content = {"model": model, "messages": [message.as_json() for message in messages]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

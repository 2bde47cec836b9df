"""A kept chat as a file: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ollama_cli.chat.messages import Message
    from ollama_cli.chat.stored import StoredChat

_HEADINGS = {"system": "System", "user": "Question", "assistant": "Answer", "tool": "Tool"}


def kept_facts(chat: StoredChat) -> dict[str, Any]:
    """The chat as a JSON object: what the list tells of it, settings, and messages as ``/api/chat`` takes them."""
    session = chat.session
    return {
        **chat.facts.as_json(),
        "system": session.system,
        "think": session.think,
        "format": session.format,
        "parameters": session.parameters,
        "messages": [message.as_json() for message in session.messages],
    }


def kept_json(chat: StoredChat) -> str:
    """The same as the text of a file."""
    return json.dumps(kept_facts(chat), indent=2, ensure_ascii=False) + "\n"


def kept_markdown(chat: StoredChat) -> str:
    """The chat as Markdown, a heading a message; thoughts and files are only counted."""
    facts = chat.facts.as_json()
    parts = [f"# {facts['title']}", f"{facts['model']}, {facts['created']}"]
    for message in chat.session.messages:
        parts.extend([f"## {_HEADINGS[message.role]}", *_parts(message)])
    return "\n\n".join(part for part in parts if part) + "\n"


def _parts(message: Message) -> Iterator[str]:
    yield message.content.strip("\n")
    if message.images:
        yield f"*With {len(message.images)} image{'s' if len(message.images) > 1 else ''} or sound.*"
    for call in message.tool_calls:
        yield f"*Calls the tool `{call.name}`.*"

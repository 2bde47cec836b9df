"""A kept chat as a file: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ollama_cli.chat.export import as_markdown

if TYPE_CHECKING:
    from ollama_cli.chat.kept.stored import StoredChat


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
    """The chat as Markdown, under its title."""
    return as_markdown(chat.facts.model, chat.session.messages, chat.facts.title)

"""What tests of a chat share: a model's answers, what was asked of it, and how a person talks to it."""

from __future__ import annotations

import base64
from typing import Any

from terminals import Terminal

SHOW: dict[str, Any] = {"method": "POST", "path": "/api/show", "json": {"capabilities": ["completion"]}}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGM4IScHRwzEcQCxYxBBO0tjggAAAABJRU5ErkJggg=="
)


def answer_route(*contents: str, **more: Any) -> dict[str, Any]:
    """A route whose answer has these pieces."""
    pieces = [{"message": {"role": "assistant", "content": content}, "done": False} for content in contents]
    counts = {"prompt_eval_count": 100, "eval_count": 28}
    last = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **counts}
    return {"method": "POST", "path": "/api/chat", "ndjson": [*pieces, last], **more}


def asked(requests: list[dict[str, Any]]) -> list[list[str]]:
    """What was said, in each request for an answer."""
    bodies = [request["json"] for request in requests if request["path"] == "/api/chat"]
    return [[message["content"] for message in body["messages"]] for body in bodies]


def say(terminal: Terminal, typed: str) -> None:
    """Wait for the line, and enter one."""
    terminal.until_prompt()
    terminal.type(f"{typed}\r")


def leave(terminal: Terminal) -> int:
    """Leave with Ctrl-D."""
    terminal.until_prompt()
    terminal.type("\x04")
    return terminal.end()

"""The messages of a conversation, as ``/api/chat`` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from ollama_cli.api.events import ToolCall

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
_ROLES: dict[str, Role] = {role: role for role in get_args(Role)}


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        role: Who wrote it.
        content: The text.
        thinking: What a model thought before it.
        images: Images and sounds that go along, in base64.
        tool_calls: Tools that a model asked for.
    """

    role: Role
    content: str
    thinking: str = ""
    images: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The message as a request holds it; what is empty is left out."""
        fields: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.thinking:
            fields["thinking"] = self.thinking
        if self.images:
            fields["images"] = list(self.images)
        if self.tool_calls:
            fields["tool_calls"] = [
                {"function": {"name": call.name, "arguments": call.arguments}} for call in self.tool_calls
            ]
        return fields

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Message:
        """Read a message; a field of another type than a message's counts as empty.

        Raises:
            ValueError: Nobody is named who could have written it.
        """
        role = _ROLES.get(str(content.get("role")))
        if role is None:
            raise ValueError(f"{content.get('role')!r} writes no messages")
        images = content.get("images")
        calls = content.get("tool_calls")
        return cls(
            role,
            _text(content.get("content")),
            _text(content.get("thinking")),
            tuple(image for image in images if isinstance(image, str)) if isinstance(images, list) else (),
            tuple(_calls(calls)) if isinstance(calls, list) else (),
        )


def _calls(told: list[Any]) -> list[ToolCall]:
    functions = [call.get("function") for call in told if isinstance(call, dict)]
    return [
        ToolCall(str(function["name"]), function.get("arguments"))
        for function in functions
        if isinstance(function, dict) and "name" in function
    ]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

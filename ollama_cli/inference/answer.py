"""An answer as a whole, gathered from its chunks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ollama_cli.api.events import Chunk, ToolCall
from ollama_cli.api.statistics import Statistics


@dataclass
class Answer:
    """What came of an answer so far.

    Attributes:
        model: The model that was asked; at the end, by the name that the server gives it.
        text_parts: The pieces of the answer itself.
        thinking_parts: The pieces of what the model thought.
        tool_calls: The tools that it asked for.
        complete: Whether the last chunk came.
        done_reason: Why it ended.
        statistics: What the server counted and timed.
    """

    model: str
    text_parts: list[str] = field(default_factory=list)
    thinking_parts: list[str] = field(default_factory=list)
    tool_calls: list[ToolCall] = field(default_factory=list)
    complete: bool = False
    done_reason: str = ""
    statistics: Statistics = field(default_factory=Statistics)

    @property
    def text(self) -> str:
        """The answer itself."""
        return "".join(self.text_parts)

    @property
    def thinking(self) -> str:
        """What the model thought."""
        return "".join(self.thinking_parts)

    def add(self, chunk: Chunk) -> None:
        """Take up a piece."""
        if chunk.text:
            self.text_parts.append(chunk.text)
        if chunk.thinking:
            self.thinking_parts.append(chunk.thinking)
        self.tool_calls.extend(chunk.tool_calls)
        if chunk.done:
            self.complete = True
            self.done_reason = chunk.done_reason
            self.model = chunk.model or self.model
            self.statistics = chunk.statistics or self.statistics

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints; counts in tokens, durations in nanoseconds."""
        return {
            "model": self.model,
            "answer": self.text,
            "thinking": self.thinking,
            "tool_calls": [_json_of_call(call) for call in self.tool_calls],
            **self.ending(),
        }

    def ending(self) -> dict[str, Any]:
        """How the answer ended, as the last object of ``--json-lines`` tells it."""
        return {"done": self.complete, "done_reason": self.done_reason or None, **self.statistics._asdict()}


def json_of_chunk(chunk: Chunk) -> list[dict[str, Any]]:
    """The objects that ``--json-lines`` prints for a piece of an answer: one for each thing that it holds."""
    objects: list[dict[str, Any]] = []
    if chunk.thinking:
        objects.append({"thinking": chunk.thinking})
    if chunk.text:
        objects.append({"answer": chunk.text})
    objects.extend({"tool_call": _json_of_call(call)} for call in chunk.tool_calls)
    return objects


def _json_of_call(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments}  # not `_asdict`, for the field may become another


def json_of_vector(vector: list[float]) -> str:
    """A vector as the reference prints it: no blanks, and each number in the shortest form that Go gives it."""
    return f"[{','.join(map(_number, vector))}]"


def _number(value: float) -> str:
    text = repr(float(value)).removesuffix(".0")
    digits, _, exponent = text.partition("e")
    if not exponent:
        return text
    if 1e-6 <= abs(value) < 1e21:  # noqa: PLR2004 - within these bounds Go writes no exponent
        from decimal import Decimal

        return format(Decimal(text), "f")
    return f"{digits.removesuffix('.0')}e{exponent[0]}{exponent[1:].lstrip('0')}"

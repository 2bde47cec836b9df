"""The events of a streamed answer: NDJSON, a line a chunk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ollama_cli.api.failures import BREAK_HINT, PAGE_HINT
from ollama_cli.api.foreign_json import value_of
from ollama_cli.api.statistics import Statistics
from ollama_cli.errors import AnswerError

LONGEST_LINE = 8 * 1024 * 1024
"""Bytes that one line may have, as in the reference."""

_HALF = re.compile(r"[\ud800-\udfff]")  # of a character: JSON may name one, but nothing can be sent or written with it


class ToolCall(NamedTuple):
    """A tool that the model asks for.

    Attributes:
        name: The tool's name.
        arguments: What it is to be called with, as the server sent it.
    """

    name: str
    arguments: Any


class Chunk(NamedTuple):
    """A piece of an answer; a tuple, for there are as many as words, and a dataclass costs three times as much.

    Attributes:
        text: A piece of the answer itself.
        thinking: A piece of what the model thought before it.
        done: Whether this is the last chunk.
        done_reason: Why it ended: ``stop``, ``length``, ``load``, ``unload``, or nothing.
        tool_calls: The tools that it asks for.
        model: The model's name, as the server has it; of the last chunk only.
        statistics: What the server counted and timed; of the last chunk only.
    """

    text: str
    thinking: str
    done: bool
    done_reason: str
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""
    statistics: Statistics | None = None


def lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Split a stream of bytes at line feeds, and at nothing else: a JSON text may hold Unicode's other line ends.

    Raises:
        AnswerError: A line is longer than any answer's.
    """
    pending: list[bytes] = []
    size = 0
    for part in parts:
        *complete, rest = part.split(b"\n")
        for line in complete:
            _check_length(size + len(line))
            if pending:
                line = b"".join([*pending, line])  # noqa: PLW2901 - the whole line
                pending, size = [], 0
            yield line
        if rest:
            pending.append(rest)
            size += len(rest)
            _check_length(size)
    if size:
        yield b"".join(pending)


def _check_length(size: int) -> None:
    if size > LONGEST_LINE:
        raise AnswerError("The answer holds a line that is longer than any answer's.", code="answer_invalid")


def chunks(parts: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The objects of an NDJSON stream.

    Raises:
        AnswerError: A line is no JSON object.
    """
    for line in lines(parts):
        if not line.strip():
            continue
        try:
            content = value_of(line)
        except (ValueError, RecursionError):  # a text that is nested too deeply is the second
            content = None
        if not isinstance(content, dict):
            raise _no_answer(PAGE_HINT if line.lstrip().startswith(b"<") else BREAK_HINT)
        yield content


def chunk_of(content: dict[str, Any]) -> Chunk:
    """A chunk of ``/api/generate``.

    Raises:
        AnswerError: A field has another type than an answer's.
    """
    return _chunk(content, content.get("response"), content)


def chat_chunk_of(content: dict[str, Any]) -> Chunk:
    """A chunk of ``/api/chat``.

    Raises:
        AnswerError: A field has another type than an answer's.
    """
    message = content.get("message") or {}
    if not isinstance(message, dict):
        raise _no_answer()
    return _chunk(content, message.get("content"), message)


def _chunk(content: dict[str, Any], text: object, said: dict[str, Any]) -> Chunk:
    text, thinking = _text(text), _text(said.get("thinking"))
    calls = _tool_calls(said["tool_calls"]) if said.get("tool_calls") else ()
    if content.get("done") is not True:
        return Chunk(text, thinking, done=False, done_reason="", tool_calls=calls)
    return Chunk(
        text,
        thinking,
        done=True,
        done_reason=str(content.get("done_reason") or ""),
        tool_calls=calls,
        model=str(content.get("model") or ""),
        statistics=Statistics.from_answer(content),
    )


def _text(told: object) -> str:
    text = told or ""
    if not isinstance(text, str):
        raise _no_answer()
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def _tool_calls(told: object) -> tuple[ToolCall, ...]:
    try:
        functions = [call["function"] for call in told]  # type: ignore[attr-defined]  # what it is shows in trying
        return tuple(ToolCall(str(function["name"]), function.get("arguments")) for function in functions)
    except (TypeError, KeyError, AttributeError):
        raise _no_answer() from None


def _no_answer(hint: str = BREAK_HINT) -> AnswerError:
    return AnswerError("The server sent something that is no answer.", hint=hint, code="answer_invalid")

"""``/v1/chat/completions``: the same stand-in models, in OpenAI's form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ollama_cli.sandbox.answers import Answer, answer
from ollama_cli.sandbox.authentication import authenticate
from ollama_cli.sandbox.bodies import field, json_body, objects
from ollama_cli.sandbox.questions import read_chat
from ollama_cli.sandbox.refusals import RefusedError
from ollama_cli.sandbox.shared import sandbox_of, time_of

EVENT_STREAM = "text/event-stream"
_ID = "chatcmpl-sandbox"


async def chat_completions(request: Request) -> Response:
    """``POST /v1/chat/completions``: the next message of a conversation, at once or as server-sent events."""
    authenticate(request)
    body = await json_body(request)
    question = read_chat(as_ollama(body))
    given = answer(question)
    with_usage = field(field(body, "stream_options", dict, {}), "include_usage", bool, False)
    created = time_of(request)

    def head(kind: str) -> dict[str, Any]:
        named = {"id": _ID, "object": kind, "created": created, "model": question.name}
        return {**named, "system_fingerprint": "fp_sandbox"}

    if not field(body, "stream", bool, False):
        choice = {"index": 0, "message": _message(given), "finish_reason": _reason(given)}
        return JSONResponse({**head("chat.completion"), "choices": [choice], "usage": usage(given)})

    async def events() -> AsyncIterator[bytes]:
        pace = sandbox_of(request).pace
        for delta in _deltas(given):
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            yield event({**head("chat.completion.chunk"), "choices": [choice]})
            await asyncio.sleep(pace)
        last = {"index": 0, "delta": {}, "finish_reason": _reason(given)}
        yield event({**head("chat.completion.chunk"), "choices": [last]})
        if with_usage:
            yield event({**head("chat.completion.chunk"), "choices": [], "usage": usage(given)})
        yield b"data: [DONE]\n\n"

    return StreamingResponse(events(), media_type=EVENT_STREAM)


def as_ollama(body: dict[str, Any]) -> dict[str, Any]:
    """A body of OpenAI's API as one of Ollama's.

    Raises:
        RefusedError: A part of it is of a kind that it cannot be.
    """
    messages = [as_message(item) for item in objects(body, "messages")]
    if not messages:
        raise RefusedError(400, "messages must not be empty")
    limit = field(body, "max_completion_tokens", int, 0) or field(body, "max_tokens", int, 0)
    effort = field(body, "reasoning_effort", str, "")
    return {
        "model": body.get("model"),
        "messages": messages,
        "tools": body.get("tools"),
        "think": (False if effort == "none" else effort) if effort else None,
        "format": _as_format(field(body, "response_format", dict, {})),
        "options": {"num_predict": limit, "stop": body.get("stop")},
    }


def as_message(item: dict[str, Any]) -> dict[str, Any]:
    """A message of OpenAI's API as one of Ollama's.

    Raises:
        RefusedError: A part of it is of a kind that it cannot be.
    """
    role = field(item, "role", str, "")
    role = "system" if role == "developer" else role
    content = item.get("content")
    if not isinstance(content, list):
        return {"role": role, "content": content}
    parts = objects(item, "content")
    text = "".join(field(part, "text", str, "") for part in parts)
    return {"role": role, "content": text, "images": [_image(part) for part in parts if "image_url" in part]}


def _image(part: dict[str, Any]) -> str:
    """The base64 of a picture that stands in a ``data:`` URL; no other is loaded."""
    given = part["image_url"]
    url = given if isinstance(given, str) else field(field(part, "image_url", dict, {}), "url", str, "")
    start, comma, data = url.partition(",")
    if not comma or not start.startswith("data:image/") or not start.endswith(";base64"):
        raise RefusedError(400, "image_url must be a data: URL with base64")
    return data


def _as_format(wanted: dict[str, Any]) -> Any:
    kind = wanted.get("type")
    if kind in (None, "text"):
        return None
    if kind == "json_object":
        return "json"
    if kind == "json_schema":
        return field(field(wanted, "json_schema", dict, {}), "schema", dict, {})
    raise RefusedError(400, "response_format has an unknown type")


def _message(given: Answer) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": "".join(given.text),
        **({"reasoning": "".join(given.thinking)} if given.thinking else {}),
        **({"tool_calls": _tool_calls(given)} if given.tool_calls else {}),
    }


def _deltas(given: Answer) -> Iterator[dict[str, Any]]:
    for piece in given.thinking:
        yield {"role": "assistant", "content": "", "reasoning": piece}
    for piece in given.text:
        yield {"role": "assistant", "content": piece}
    if given.tool_calls:
        yield {"role": "assistant", "content": "", "tool_calls": _tool_calls(given)}


def _tool_calls(given: Answer) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{index}",
            "type": "function",
            "index": index,
            "function": {
                "name": call["function"]["name"],
                "arguments": json.dumps(call["function"]["arguments"], ensure_ascii=False),
            },
        }
        for index, call in enumerate(given.tool_calls)
    ]


def _reason(given: Answer) -> str:
    return "tool_calls" if given.tool_calls else given.reason


def usage(given: Answer) -> dict[str, int]:
    """How many words were read and said."""
    read, spoken = given.prompt_words, given.words
    return {"prompt_tokens": read, "completion_tokens": spoken, "total_tokens": read + spoken}


def event(content: dict[str, Any]) -> bytes:
    """A server-sent event."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}\n\n".encode()

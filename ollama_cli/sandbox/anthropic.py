"""``/v1/messages``: the same stand-in models, in Anthropic's form."""

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
from ollama_cli.sandbox.openai import EVENT_STREAM, event
from ollama_cli.sandbox.questions import read_chat
from ollama_cli.sandbox.refusals import RefusedError
from ollama_cli.sandbox.shared import sandbox_of


async def messages(request: Request) -> Response:
    """``POST /v1/messages``: the next message of a conversation, at once or as server-sent events."""
    authenticate(request)
    body = await json_body(request)
    question = read_chat(_as_ollama(body))
    given = answer(question)
    head = {"id": "msg_sandbox", "type": "message", "role": "assistant", "model": question.name}
    end = {"stop_reason": _reason(given), "stop_sequence": None}
    usage = {"input_tokens": given.prompt_words, "output_tokens": given.words}
    if not field(body, "stream", bool, False):
        return JSONResponse({**head, "content": _blocks(given), **end, "usage": usage})

    async def events() -> AsyncIterator[bytes]:
        open_end: dict[str, Any] = {
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**usage, "output_tokens": 0},
        }
        yield _event("message_start", message={**head, **open_end})
        for kind, content in _block_events(given):
            yield _event(kind, **content)
            await asyncio.sleep(sandbox_of(request).pace)
        yield _event("message_delta", delta=end, usage=usage)
        yield _event("message_stop")

    return StreamingResponse(events(), media_type=EVENT_STREAM)


def _as_ollama(body: dict[str, Any]) -> dict[str, Any]:
    spoken = [message for item in objects(body, "messages") for message in _as_messages(item)]
    if not spoken:
        raise RefusedError(400, "messages must not be empty")
    limit = field(body, "max_tokens", int, 0)
    if limit < 1:
        raise RefusedError(400, "max_tokens must be at least 1")
    system = _text(body, "system")
    thinking = field(field(body, "thinking", dict, {}), "type", str, "disabled")
    return {
        "model": body.get("model"),
        "messages": ([{"role": "system", "content": system}] if system else []) + spoken,
        "tools": [
            {"function": {"name": tool.get("name"), "parameters": tool.get("input_schema")}}
            for tool in objects(body, "tools")
        ],
        "think": thinking != "disabled",
        "options": {"num_predict": limit, "stop": body.get("stop_sequences")},
    }


def _as_messages(item: dict[str, Any]) -> list[dict[str, Any]]:
    """A message; what a tool gave, which stands in a user's message here, is one of its own in Ollama's form."""
    role = field(item, "role", str, "")
    if not isinstance(item.get("content"), list):
        return [{"role": role, "content": item.get("content")}]
    parts = objects(item, "content")
    results = [part for part in parts if part.get("type") == "tool_result"]
    images = [field(field(part, "source", dict, {}), "data", str, "") for part in parts if part.get("type") == "image"]
    said = {"role": role, "content": _text(item, "content"), "images": images}
    return [said, *({"role": "tool", "content": _text(part, "content")} for part in results)]


def _text(item: dict[str, Any], name: str) -> str:
    """A field that is a text, or a list of blocks of text."""
    if not isinstance(item.get(name), list):
        return field(item, name, str, "")
    return "".join(field(part, "text", str, "") for part in objects(item, name))


def _blocks(given: Answer) -> list[dict[str, Any]]:
    return [
        *([{"type": "thinking", "thinking": "".join(given.thinking), "signature": ""}] if given.thinking else []),
        *([{"type": "text", "text": "".join(given.text)}] if given.text else []),
        *(
            {
                "type": "tool_use",
                "id": f"toolu_{index}",
                "name": call["function"]["name"],
                "input": call["function"]["arguments"],
            }
            for index, call in enumerate(given.tool_calls)
        ),
    ]


def _block_events(given: Answer) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, block in enumerate(_blocks(given)):
        empty: dict[str, Any] = {"thinking": {"thinking": ""}, "text": {"text": ""}, "tool_use": {"input": {}}}
        yield "content_block_start", {"index": index, "content_block": {**block, **empty[block["type"]]}}
        for delta in _deltas(block, given):
            yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}


def _deltas(block: dict[str, Any], given: Answer) -> Iterator[dict[str, Any]]:
    if block["type"] == "thinking":
        yield from ({"type": "thinking_delta", "thinking": piece} for piece in given.thinking)
    elif block["type"] == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in given.text)
    else:
        yield {"type": "input_json_delta", "partial_json": json.dumps(block["input"], ensure_ascii=False)}


def _reason(given: Answer) -> str:
    if given.tool_calls:
        return "tool_use"
    return "max_tokens" if given.reason == "length" else "end_turn"


def _event(kind: str, **content: Any) -> bytes:
    return f"event: {kind}\n".encode() + event({"type": kind, **content})

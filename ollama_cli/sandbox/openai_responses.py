"""``/v1/responses``: the same stand-in models, in the form of OpenAI's newer API. Tools are not called here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ollama_cli.sandbox.answers import Answer, answer
from ollama_cli.sandbox.authentication import authenticate
from ollama_cli.sandbox.bodies import field, json_body, objects
from ollama_cli.sandbox.openai import EVENT_STREAM, as_message, event
from ollama_cli.sandbox.questions import read_chat
from ollama_cli.sandbox.refusals import RefusedError
from ollama_cli.sandbox.shared import sandbox_of, time_of

_MESSAGE_ID = "msg_sandbox"


async def responses(request: Request) -> Response:
    """``POST /v1/responses``: an answer to a text or to a list of messages."""
    authenticate(request)
    body = await json_body(request)
    question = read_chat(_as_ollama(body))
    given = answer(question)
    head = {"id": "resp_sandbox", "object": "response", "created_at": time_of(request), "model": question.name}
    whole = {**head, "status": "completed", "output": _output(given), "usage": _usage(given)}
    if not field(body, "stream", bool, False):
        return JSONResponse(whole)

    async def events() -> AsyncIterator[bytes]:
        begun = {**head, "status": "in_progress", "output": []}
        for number, content in enumerate(_events(given, begun, whole)):
            line = event({"sequence_number": number, **content})
            yield b"event: " + content["type"].encode() + b"\n" + line
            await asyncio.sleep(sandbox_of(request).pace)

    return StreamingResponse(events(), media_type=EVENT_STREAM)


def _as_ollama(body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else objects(body, "input")
    messages = [as_message(item) for item in items if field(item, "type", str, "message") == "message"]
    if not messages:
        raise RefusedError(400, "input must not be empty")
    instructions = field(body, "instructions", str, "")
    first = [{"role": "system", "content": instructions}] if instructions else []
    effort = field(field(body, "reasoning", dict, {}), "effort", str, "")
    return {
        "model": body.get("model"),
        "messages": first + messages,
        "think": (False if effort == "none" else effort) if effort else None,
        "options": {"num_predict": field(body, "max_output_tokens", int, 0)},
    }


def _output(given: Answer) -> list[dict[str, Any]]:
    thinking = "".join(given.thinking)
    thought = {"type": "reasoning", "id": "rs_sandbox", "summary": [{"type": "summary_text", "text": thinking}]}
    return [*([thought] if thinking else []), _item("completed", [_part("".join(given.text))])]


def _item(status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "message", "id": _MESSAGE_ID, "status": status, "role": "assistant", "content": content}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _events(given: Answer, begun: dict[str, Any], whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of a stream; the thinking comes as one item, the answer word by word."""
    *thoughts, message = whole["output"]
    (part,) = message["content"]
    yield {"type": "response.created", "response": begun}
    for thought in thoughts:
        yield {"type": "response.output_item.added", "output_index": 0, "item": {**thought, "summary": []}}
        yield {"type": "response.output_item.done", "output_index": 0, "item": thought}
    item = {"output_index": len(thoughts)}
    place = {"item_id": _MESSAGE_ID, **item, "content_index": 0}
    yield {"type": "response.output_item.added", **item, "item": _item("in_progress", [])}
    yield {"type": "response.content_part.added", **place, "part": _part("")}
    for piece in given.text:
        yield {"type": "response.output_text.delta", **place, "delta": piece}
    yield {"type": "response.output_text.done", **place, "text": part["text"]}
    yield {"type": "response.content_part.done", **place, "part": part}
    yield {"type": "response.output_item.done", **item, "item": message}
    yield {"type": "response.completed", "response": whole}


def _usage(given: Answer) -> dict[str, int]:
    read, spoken = given.prompt_words, given.words
    return {"input_tokens": read, "output_tokens": spoken, "total_tokens": read + spoken}

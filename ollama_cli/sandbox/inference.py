"""``/api/generate``, ``/api/chat`` and ``/api/embed``: the wire form of what the stand-in models say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ollama_cli.sandbox.answers import Answer, answer
from ollama_cli.sandbox.authentication import authenticate
from ollama_cli.sandbox.bodies import field, json_body
from ollama_cli.sandbox.embeddings import embeddings
from ollama_cli.sandbox.questions import Question, model_in, read_chat, read_generate
from ollama_cli.sandbox.shared import sandbox_of

_NANOSECONDS = 1_000_000_000
_Payload = Callable[..., dict[str, Any]]


def _response(text: str = "", thinking: str = "", calls: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """The part of a chunk of ``/api/generate`` that is the answer."""
    return {
        "response": text,
        **({"thinking": thinking} if thinking else {}),
        **({"tool_calls": list(calls)} if calls else {}),
    }


def _message(text: str = "", thinking: str = "", calls: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """The part of a chunk of ``/api/chat`` that is the answer."""
    tool_calls = [{"id": f"call_{index}", **call} for index, call in enumerate(calls)]
    return {
        "message": {
            "role": "assistant",
            "content": text,
            **({"thinking": thinking} if thinking else {}),
            **({"tool_calls": tool_calls} if calls else {}),
        }
    }


async def generate(request: Request) -> Response:
    """``POST /api/generate``: an answer to a prompt; without a prompt, the model is only loaded."""
    authenticate(request)
    body = await json_body(request)
    question = read_generate(body)
    empty = not question.messages[-1].content and not question.messages[-1].images
    return _answered(request, body, question, _response, empty=empty)


async def chat(request: Request) -> Response:
    """``POST /api/chat``: the next message of a conversation; without messages, the model is only loaded."""
    authenticate(request)
    body = await json_body(request)
    question = read_chat(body)
    return _answered(request, body, question, _message, empty=not question.messages)


async def embed(request: Request) -> Response:
    """``POST /api/embed``: a vector for each text."""
    authenticate(request)
    body = await json_body(request)
    model, name = model_in(body)
    vectors, words = embeddings(body, model, name)
    return JSONResponse({"model": name, "embeddings": vectors, **({"prompt_eval_count": words} if vectors else {})})


def _answered(
    request: Request, body: dict[str, Any], question: Question, payload: _Payload, *, empty: bool
) -> Response:
    sandbox = sandbox_of(request)
    streamed = field(body, "stream", bool, True)
    if empty:
        reason = "unload" if body.get("keep_alive") in (0, "0", "0s") else "load"
        return JSONResponse({**_head(request, question), **payload(), "done": True, "done_reason": reason})
    given = answer(question)
    last = {"done": True, "done_reason": given.reason, **_counts(given, sandbox.pace)}
    if not streamed:
        whole = payload("".join(given.text), "".join(given.thinking), given.tool_calls)
        return JSONResponse({**_head(request, question), **whole, **last})

    async def lines() -> AsyncIterator[bytes]:
        for part in _parts(given, payload):
            yield _line({**_head(request, question), **part, "done": False})
            await asyncio.sleep(sandbox.pace)
        yield _line({**_head(request, question), **payload(), **last})

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _parts(given: Answer, payload: _Payload) -> Iterator[dict[str, Any]]:
    for piece in given.thinking:
        yield payload(thinking=piece)
    for piece in given.text:
        yield payload(piece)
    if given.tool_calls:
        yield payload(calls=given.tool_calls)


def _head(request: Request, question: Question) -> dict[str, Any]:
    moment = datetime.fromtimestamp(sandbox_of(request).time_for(request.scope), UTC)
    return {"model": question.name, "created_at": f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z"}


def _counts(given: Answer, pace: float) -> dict[str, int]:
    """Counts in words and times in nanoseconds; the times are made up, so that they are the same each time."""
    a_word = int(pace * _NANOSECONDS) or 1000
    read, spoken = given.prompt_words * 1000 + 1000, given.words * a_word
    return {
        "total_duration": 1000 + read + spoken,
        "load_duration": 1000,
        "prompt_eval_count": given.prompt_words,
        "prompt_eval_duration": read,
        "eval_count": given.words,
        "eval_duration": spoken,
    }


def _line(content: dict[str, Any]) -> bytes:
    return f"{json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n".encode()

"""``/v1/completions`` and ``/v1/embeddings``: prompts and vectors, in OpenAI's form."""

from __future__ import annotations

import asyncio
import struct
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ollama_cli.sandbox.answers import answer
from ollama_cli.sandbox.authentication import authenticate
from ollama_cli.sandbox.bodies import field, json_body
from ollama_cli.sandbox.embeddings import embeddings
from ollama_cli.sandbox.openai import EVENT_STREAM, event, usage
from ollama_cli.sandbox.questions import model_in, read_generate
from ollama_cli.sandbox.shared import sandbox_of, time_of


async def completions(request: Request) -> Response:
    """``POST /v1/completions``: an answer to a prompt."""
    authenticate(request)
    body = await json_body(request)
    options = {"num_predict": field(body, "max_tokens", int, 0), "stop": body.get("stop")}
    question = read_generate({"model": body.get("model"), "prompt": body.get("prompt"), "options": options})
    given = answer(question)
    head = {"id": "cmpl-sandbox", "object": "text_completion", "created": time_of(request), "model": question.name}

    def choice(text: str, reason: str | None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "text": text, "finish_reason": reason}]}

    if not field(body, "stream", bool, False):
        return JSONResponse({**choice("".join(given.text), given.reason), "usage": usage(given)})

    async def events() -> AsyncIterator[bytes]:
        for piece in given.text:
            yield event(choice(piece, None))
            await asyncio.sleep(sandbox_of(request).pace)
        yield event(choice("", given.reason))
        yield b"data: [DONE]\n\n"

    return StreamingResponse(events(), media_type=EVENT_STREAM)


async def vectors(request: Request) -> Response:
    """``POST /v1/embeddings``: a vector for each text, as numbers or in base64."""
    authenticate(request)
    body = await json_body(request)
    model, name = model_in(body)
    found, words = embeddings(body, model, name)
    packed = field(body, "encoding_format", str, "float") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
        for index, vector in enumerate(found)
    ]
    counted = {"prompt_tokens": words, "total_tokens": words}
    return JSONResponse({"object": "list", "data": data, "model": name, "usage": counted})


def _packed(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

"""A server that is ollama.com and a daemon at once, and puts something of its own into all that it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stub_server import Answer, Received, stub_server

_MODEL: dict[str, Any] = {
    "name": "tiny:latest",
    "model": "tiny:latest",
    "size": 5_000_000,
    "size_vram": 4_000_000,
    "context_length": 4096,
    "digest": "ab" * 32,
    "modified_at": "2026-11-01T12:00:00Z",
    "expires_at": "2026-11-01T12:00:00Z",
    "details": {"family": "llama", "parameter_size": "1B", "quantization_level": "Q4_0", "families": ["llama"]},
}
_STATISTICS = {"total_duration": 10**9, "load_duration": 1, "eval_count": 3, "eval_duration": 10**8}
_WORK = [
    {"status": "pulling manifest"},
    {"status": "pulling abc", "digest": f"sha256:{'ab' * 32}", "total": 1000, "completed": 10},
    {"status": "success"},
]
ANSWERS: dict[str, list[Any]] = {
    "/api/me": [{"id": "1", "name": "ada", "email": "ada@example.com", "plan": "pro"}],
    "/api/tags": [{"models": [_MODEL]}],
    "/api/ps": [{"models": [_MODEL]}],
    "/api/show": [
        {
            "license": "MIT",
            "modelfile": "FROM tiny",
            "parameters": 'stop "x"\ntemperature 1',
            "template": "{{ .Prompt }}",
            "system": "Be kind.",
            "details": _MODEL["details"],
            "model_info": {"general.architecture": "llama", "llama.context_length": 4096, "tokens": ["a", "b"]},
            "tensors": [{"name": "token_embd.weight", "type": "F16", "shape": [4, 5]}],
            "capabilities": ["completion", "thinking"],
            "projector_info": {"general.architecture": "clip"},
            "modified_at": "2026-11-01T12:00:00Z",
        }
    ],
    "/api/generate": [
        {"model": "tiny", "response": "", "thinking": "Hm.", "done": False},
        {"model": "tiny", "response": "Because.", "done": False},
        {"model": "tiny", "response": "", "done": True, "done_reason": "stop", **_STATISTICS},
    ],
    "/api/chat": [
        {"message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False},
        {"message": {"role": "assistant", "content": "Because."}, "done": False},
        {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **_STATISTICS},
    ],
    "/api/create": [{"status": "writing manifest"}, {"status": "success"}],
    "/api/pull": _WORK,
    "/api/push": _WORK,
    "/api/web_search": [{"results": [{"title": "A page", "url": "https://example.com/a", "content": "Its text."}]}],
    "/api/web_fetch": [{"title": "A page", "content": "Its text.", "links": ["https://example.com/b"]}],
    "/api/version": [{"version": "0.12.0"}],
}
ERROR = {"error": "no such thing", "message": "none", "signin_url": "https://ollama.com/connect?name=a&key=b"}

Change = Callable[[Any], Any]
"""Makes of a JSON value what is sent in its place; None in the place of a value leaves the whole line out."""


def each_string(change: Callable[[str], str]) -> Change:
    """Change every string in a value, the names of its members too."""

    def changed(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, list):
            return [changed(item) for item in value]
        if isinstance(value, dict):
            return {name: changed(item) for name, item in value.items()} | {change("more"): change("of it")}
        return value

    return changed


@contextmanager
def altering_server(change: Change, *, status: int = 200, said: str = "") -> Iterator[str]:
    """Serve until the block ends.

    Args:
        change: What is made of each answer.
        status: With what it answers; an error has another body.
        said: What stands in headers.
    """

    def answer(request: Received) -> Answer:
        path = request.target.partition("?")[0]
        lines = ANSWERS.get(path, [{}]) if status == 200 else [ERROR]
        text = "\n".join(json.dumps(change(line)) for line in lines)
        headers = {"Content-Type": "application/x-ndjson" if len(lines) > 1 else "application/json"}
        if said:
            headers |= dict.fromkeys(("Server", "X-Request-Id", "Retry-After", "WWW-Authenticate", "Location"), said)
        return status, headers, text.encode("utf-8", "surrogatepass")

    with stub_server(answer) as server:
        yield server.url

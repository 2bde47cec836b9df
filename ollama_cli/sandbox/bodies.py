"""Request bodies, read with care: whatever is sent, the answer is a model's or a refusal, never a failure of ours."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from starlette.requests import Request

from ollama_cli.api.foreign_json import finite
from ollama_cli.sandbox.refusals import RefusedError

_T = TypeVar("_T")

_LARGEST = 1e300
"""A whole number below this is a floating-point number too."""

_WORDS = {str: "string", bool: "bool", int: "int", float: "number", list: "array", dict: "object"}


async def json_body(request: Request) -> dict[str, Any]:
    """The object in a request's body.

    Raises:
        RefusedError: 400, it holds none.
    """
    raw = await request.body()
    if not raw.strip():
        raise RefusedError(400, "missing request body")
    try:
        content = _whole(json.loads(raw.decode(), parse_constant=finite, parse_float=finite))
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "the request body is not valid JSON") from error
    if not isinstance(content, dict):
        raise RefusedError(400, "the request body is not a JSON object")
    return content


def _whole(content: Any) -> Any:
    """The same content without halves of characters, which JSON can escape and UTF-8 cannot hold."""
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode()
    if isinstance(content, list):
        return [_whole(item) for item in content]
    if isinstance(content, dict):
        return {_whole(name): _whole(value) for name, value in content.items()}
    return content


def field(body: dict[str, Any], name: str, kind: type[_T], default: _T) -> _T:
    """A field of a body; ``null`` is the same as leaving it out.

    Args:
        body: The object.
        name: The field.
        kind: What it has to be; ``float`` takes whole numbers too.
        default: What it is when it is not there.

    Raises:
        RefusedError: 400, it is of another kind.
    """
    value = body.get(name)
    if value is None:
        return default
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < _LARGEST else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RefusedError(400, f"{name} must be of type {_WORDS[kind]}")
    return value


def objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A field that is a list of objects.

    Raises:
        RefusedError: 400, it is something else.
    """
    items = field(body, name, list, [])
    if not all(isinstance(item, dict) for item in items):
        raise RefusedError(400, f"{name} must hold objects only")
    return items


def texts(body: dict[str, Any], name: str) -> list[str]:
    """A field that is a list of texts.

    Raises:
        RefusedError: 400, it is something else.
    """
    items = field(body, name, list, [])
    if not all(isinstance(item, str) for item in items):
        raise RefusedError(400, f"{name} must hold strings only")
    return items

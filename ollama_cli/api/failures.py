"""What a server refuses, in our own words: an HTTP status and body become one of our errors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from ollama_cli.errors import (
    CliError,
    ForbiddenError,
    LimitError,
    ModelNotFoundError,
    SignInError,
    UnavailableError,
    UsageError,
)

_LONGEST_MESSAGE = 500


def error_for(status: int, body: bytes, *, model: str | None = None, hidden: Iterable[str] = ()) -> CliError:
    """The error for an answer that is not a success.

    Args:
        status: The HTTP status.
        body: Its body: JSON with an ``error``, plain text, HTML or nothing.
        model: The model that was asked for, if one was.
        hidden: Secrets that the server may repeat, and that its words are shown without.
    """
    content = _json_object(body)
    said = _message(content, body)
    told = bool(said)
    for secret in hidden:
        said = said.replace(secret, "[hidden]")
    said = said if len(said) <= _LONGEST_MESSAGE else f"{said[:_LONGEST_MESSAGE]}…"
    error = _error(status, content, said, model)
    error.told_by_api, error.server_words = told, said
    return error


def _error(status: int, content: dict[str, Any], said: str, model: str | None) -> CliError:
    tail = f": {said}" if said else "."
    if status == HTTPStatus.UNAUTHORIZED:
        url = content.get("signin_url")
        return SignInError(
            "ollama.com does not know this device or key.",
            signin_url=url if isinstance(url, str) else None,
            http_status=status,
        )
    if status == HTTPStatus.FORBIDDEN:
        return ForbiddenError(
            f"The server forbids it{tail}",
            hint="Plans and what they hold: https://ollama.com/settings",
            http_status=status,
        )
    if status == HTTPStatus.NOT_FOUND and model is not None:
        told = f"There is no model {model!r}" + ("." if model in said else tail)  # most servers say just that
        return ModelNotFoundError(told, hint="Models: https://ollama.com/search?c=cloud", http_status=status)
    if status == HTTPStatus.GONE:
        return ModelNotFoundError(f"It is not offered any more{tail}", code="model_retired", http_status=status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return LimitError(
            f"A usage limit is reached{tail}", hint="Wait, or see https://ollama.com/settings", http_status=status
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError(
            f"The server failed with status {status}{tail}",
            hint="Try again in a moment.",
            code="server_error",
            http_status=status,
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return UnavailableError(
            f"The server answered with a redirect ({status}), which is not followed with a credential.",
            hint="OLLAMA_HOST, where it is set, should name the server itself.",
            code="redirect",
            http_status=status,
        )
    return UsageError(f"The server does not take the request ({status}){tail}", code="bad_request", http_status=status)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _message(content: dict[str, Any], body: bytes) -> str:
    """What the server said, on one line: the ``error`` of a JSON body, else a body that is plain text."""
    said = content.get("error", content.get("message"))
    if isinstance(said, dict):  # the shape of /v1
        said = said.get("message")
    if not isinstance(said, str):
        text = body.decode("utf-8", "replace").strip()
        said = "" if content or text.startswith(("<", "{", "[")) else text
    return " ".join(said.split())

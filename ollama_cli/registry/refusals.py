"""What a registry refuses, in our own words.

Errors it writes as ``{"errors": [{"code", "message", "detail"}]}``, as Docker's does.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ollama_cli.api.failures import error_for
from ollama_cli.api.foreign_json import value_of
from ollama_cli.api.work_failures import DENIED
from ollama_cli.errors import AnswerError, CliError, ForbiddenError, UsageError
from ollama_cli.registry.exchange import read_some
from ollama_cli.transport.retries import seconds_asked_for

if TYPE_CHECKING:
    from ollama_cli.transport.lean_httpx import httpx

_DAMAGED = frozenset({"DIGEST_INVALID", "BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "SIZE_INVALID"})


def refusal_of(response: httpx.Response, model: str | None = None) -> CliError:
    """The error for an answer that is no success.

    Args:
        response: The answer; its body is read here.
        model: The model that was asked for, where a 404 means that there is none.
    """
    said = read_some(response)
    code, words = _first_error(said)
    status = response.status_code
    body = json.dumps({"error": words}).encode() if words else said
    retry_after = seconds_asked_for(response.headers.get("Retry-After"), response.headers.get("Date"))
    error = error_for(status, body, model=model, retry_after=retry_after)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        error = _denied(response.request.url.host, model, error)
    elif code in _DAMAGED:
        error = AnswerError(
            f"The registry does not take what was sent: {words or code}.",
            hint="A layer may be damaged here; `ollama-cli pull` mends a model that comes from a registry.",
            code="registry_refused",
        )
    elif isinstance(error, UsageError):  # no command line is to blame for what was sent
        error = AnswerError(error.message, code="registry_refused")
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        error.hint = None
    error.http_status = status
    return error


def _denied(host: str, model: str | None, error: CliError) -> ForbiddenError:
    tail = f": {error.server_words}" if error.server_words else "."
    return ForbiddenError(
        f"The registry {host} does not give this device access{f' to {model}' if model else ''}{tail}",
        hint="Its namespace is another account's, or the device is signed in to another one: `ollama-cli status`.",
        code=DENIED,
    )


def _first_error(said: bytes) -> tuple[str, str]:
    """Code and words of the first error of Docker's form, or nothing."""
    try:
        read: Any = value_of(said)
        first = read["errors"][0]
        code, words = first.get("code"), first.get("message")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "", ""
    return (code if isinstance(code, str) else ""), (" ".join(words.split())[:500] if isinstance(words, str) else "")

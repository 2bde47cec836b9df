"""What a registry answers and refuses, in our own words.

Errors it writes as ``{"errors": [{"code", "message", "detail"}]}``, as Docker's does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

from ollama_cli.api.failures import error_for
from ollama_cli.errors import AnswerError, CliError, ForbiddenError, UsageError
from ollama_cli.settings.hosts import origin_of
from ollama_cli.transport.failures import explained
from ollama_cli.transport.hiding import hidden_in_errors
from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.retries import seconds_asked_for

TIMEOUT = httpx.Timeout(30, connect=10)
"""Seconds for each step of a request; what a server is silent for longer is begun again."""

DENIED = "registry_denied"
"""Code of a refusal by a registry that was shown a token: the account has no right to this model."""

_LONGEST_REFUSAL = 64 * 1024
_DAMAGED = frozenset({"DIGEST_INVALID", "BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "SIZE_INVALID"})


@contextmanager
def streamed(
    client: httpx.Client,
    origin: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: Iterator[bytes] | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> Iterator[httpx.Response]:
    """Send a request to a registry, or where it leads, and give its answer, whose body is not read yet.

    Args:
        client: The client for that server.
        origin: How people are told of it.
        method: The HTTP method.
        url: The whole address.
        headers: Further headers.
        body: What is sent.
        timeout: The limits of each step.

    Raises:
        UnavailableError: It cannot be reached, or breaks off.
        AnswerError: It leads to what is no address: httpx reads that of every redirect, also where it follows none.
    """
    with explained(origin), ExitStack() as opened:
        try:
            sent = client.stream(method, url, headers=headers, content=body, timeout=timeout)
            response = opened.enter_context(sent)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise leads_nowhere(origin) from error
        opened.enter_context(hidden_in_errors(response.request))
        yield response


def leads_nowhere(origin: str) -> AnswerError:
    """The error for a redirect to what is no address."""
    return AnswerError(
        f"The registry {origin} leads to what is no address.", hint="Try again in a moment.", code="bad_redirect"
    )


def address_in(response: httpx.Response, named: str) -> str:
    """The whole address of what an answer names, which may be relative.

    Raises:
        AnswerError: It is none.
    """
    answered = str(response.request.url)
    try:
        return urljoin(answered, named)
    except ValueError as error:
        raise leads_nowhere(origin_of(answered)) from error


def read_some(response: httpx.Response, longest: int = _LONGEST_REFUSAL) -> bytes:
    """The body of an answer, up to a length; what is longer is cut a little behind it."""
    read = bytearray()
    for piece in response.iter_raw():  # unpacked, a few bytes could become any number
        read += piece
        if len(read) > longest:
            break
    return bytes(read)


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
        first: Any = json.loads(said)["errors"][0]
        code, words = first.get("code"), first.get("message")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "", ""
    return (code if isinstance(code, str) else ""), (" ".join(words.split())[:500] if isinstance(words, str) else "")

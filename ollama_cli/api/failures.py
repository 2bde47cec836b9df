"""What a server refuses, in our own words: an HTTP status and body become one of our errors."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from ollama_cli.errors import (
    AnswerError,
    CliError,
    ForbiddenError,
    LimitError,
    ModelNotFoundError,
    OverloadedError,
    SignInError,
    UnavailableError,
    UsageError,
)

_LONGEST_MESSAGE = 500
_LAST_STATUS = 599
_FOR_EVER = 1000 * 365 * 24 * 3600
_DEEPEST_ERROR = 6

PAGE_HINT = "A proxy or a sign-in page of the network may stand in between; or the address is no Ollama server's."
"""What to do about an answer that is no Ollama server's."""

_UNKNOWN_HINT = "The server may be older than what it is asked for, or none of Ollama's at all: check its address."
_NOT_IN_REGISTRY = "file does not exist"
_LATER_HINT = "Try again in a moment."
BREAK_HINT = "What came of it is kept; try again."
"""What to do about an answer that is not whole."""

_CROWDED = re.compile(r"concurren|slot|overload|busy|capacity", re.IGNORECASE)
_SPENT = re.compile(r"usage|quota|hourly|daily|weekly|monthly|upgrade|subscri|billing|credit", re.IGNORECASE)
_HURRIED = re.compile(r"retry|try again|too many|slow down|rate.limit", re.IGNORECASE)
_KINDS_OF_WORDS = (
    (HTTPStatus.UNAUTHORIZED, re.compile(r"\bunauthorized\b|\bnot signed in\b", re.IGNORECASE)),
    (HTTPStatus.TOO_MANY_REQUESTS, re.compile(r"usage limit|rate.limit|too many requests|quota|slot\b", re.IGNORECASE)),
    (HTTPStatus.SERVICE_UNAVAILABLE, re.compile(r"overloaded|service unavailable", re.IGNORECASE)),
    (HTTPStatus.FORBIDDEN, re.compile(r"\bforbidden\b|requires? a subscription|cloud is disabled", re.IGNORECASE)),
    (HTTPStatus.NOT_FOUND, re.compile(r"^model .* not found|: file does not exist$", re.IGNORECASE)),
)


def error_for(
    status: int,
    body: bytes,
    *,
    model: str | None = None,
    reference: str | None = None,
    retry_after: float | None = None,
) -> CliError:
    """The error for an answer that is not a success.

    Args:
        status: The HTTP status.
        body: Its body: JSON with an ``error``, plain text, HTML or nothing.
        model: The model that was asked for, if one was.
        reference: What the server calls this failure in its own records.
        retry_after: Seconds that it asks to wait.
    """
    content = _json_object(body)
    said = _message(content, body)
    told = bool(said)
    tail = tail_of(said, reference)
    error = _page_error(status, tail) if body.strip() and not content else None
    error = error or _error(status, content, said, tail, model, retry_after)
    error.told_by_api, error.server_words = told, said[:_LONGEST_MESSAGE]
    error.retry_after = retry_after
    if retry_after and isinstance(error, LimitError | UnavailableError):
        error.hint = f"The server asks to wait {_in_words(retry_after)} before the next try."
    return error


def error_in_stream(content: dict[str, Any], model: str | None) -> CliError:
    """The error of a line ``{"error": …}`` that came under status 200: by the status it names, or by its words.

    Args:
        content: The line.
        model: The model that was asked for.
    """
    status = status_told(content)
    if status is None:
        return AnswerError(f"The model broke off{tail_of(words_of(content))}", hint=BREAK_HINT)
    error = error_for(status, json.dumps(content).encode(), model=model)
    error.hint = error.hint or BREAK_HINT
    return error


def _error(
    status: int, content: dict[str, Any], said: str, tail: str, model: str | None, retry_after: float | None
) -> CliError:
    if status == HTTPStatus.UNAUTHORIZED:
        url = content.get("signin_url")
        return SignInError(
            "ollama.com does not know this device or key.",
            signin_url=url if isinstance(url, str) else None,
            http_status=status,
        )
    if status in {HTTPStatus.FORBIDDEN, HTTPStatus.PAYMENT_REQUIRED}:
        return ForbiddenError(
            f"The server forbids it{tail}",
            hint="Plans and what they hold: https://ollama.com/settings",
            http_status=status,
        )
    if status == HTTPStatus.NOT_FOUND and model is not None:
        known = model in said or said.endswith(_NOT_IN_REGISTRY)  # most servers say just that
        told = f"There is no model {model!r}" + ("." if known else tail)
        hint = "Models: https://ollama.com/search?c=cloud"
        return ModelNotFoundError(told, model=model, hint=hint, http_status=status)
    if status == HTTPStatus.GONE:
        return ModelNotFoundError(f"It is not offered any more{tail}", code="model_retired", http_status=status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many(said, tail, retry_after)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError(
            f"The server failed with status {status}{tail}", hint=_LATER_HINT, code="server_error", http_status=status
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return UnavailableError(
            f"The server answered with a redirect ({status}), which is not followed with a credential.",
            hint="OLLAMA_HOST, where it is set, should name the server itself.",
            code="redirect",
            http_status=status,
        )
    told = f"The server does not take the request ({status}){tail}"
    return UsageError(
        told, hint=_UNKNOWN_HINT if status == HTTPStatus.NOT_FOUND else None, code="bad_request", http_status=status
    )


def status_told(content: dict[str, Any]) -> int | None:
    """The HTTP status that an error line under status 200 stands for: the one it names, or the one of its words."""
    said = words_of(content)
    return _status_in(content) or next((status for status, words in _KINDS_OF_WORDS if words.search(said)), None)


def _too_many(said: str, tail: str, retry_after: float | None) -> LimitError:
    """Whether a 429 is a crowd, which passes, or a used up allowance, which waits for its hour or a larger plan."""
    unsaid = not said and retry_after is not None
    status = HTTPStatus.TOO_MANY_REQUESTS
    if unsaid or _CROWDED.search(said) or (_HURRIED.search(said) and not _SPENT.search(said)):
        return OverloadedError(f"There are too many requests at once{tail}", hint=_LATER_HINT, http_status=status)
    return LimitError(
        f"A usage limit is reached{tail}", hint="Wait, or see https://ollama.com/settings", http_status=status
    )


def _page_error(status: int, tail: str) -> CliError | None:
    """The error for a page or a text that is no JSON, where an Ollama server would not have answered so."""
    if status == HTTPStatus.FORBIDDEN:
        return ForbiddenError(
            f"Something on the way to the server forbids it{tail}", hint=PAGE_HINT, http_status=status
        )
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return UnavailableError(
            f"What answered ({status}) is no Ollama server{tail}",
            hint=PAGE_HINT,
            code="answer_invalid",
            http_status=status,
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError(
            f"The server, or something on the way to it, failed with status {status}{tail}",
            hint=_LATER_HINT,
            code="gateway_error",
            http_status=status,
        )
    return None


def tail_of(said: str, reference: str | None = None) -> str:
    """The end of a sentence: what the server said, not too long, and its reference id in any case."""
    found = re.search(r"\((?:ref|reference)[ :=]+[^()]{1,80}\)", said)
    id_ = found[0] if found else f"(ref: {reference})" if reference else ""
    if not said:
        return f" {id_}." if id_ else "."
    said = said if len(said) <= _LONGEST_MESSAGE else f"{said[:_LONGEST_MESSAGE]}…"
    return f": {said}" if id_ in said else f": {said} {id_}"


def _in_words(seconds: float) -> str:
    if seconds >= _FOR_EVER:
        return "for ever"
    for size, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds" if seconds != 1 else "a second"


def _status_in(content: dict[str, Any]) -> int | None:
    """The HTTP status that an error line names, in one of the ways in which servers do."""
    nested = content.get("error")
    for place in (content, nested if isinstance(nested, dict) else {}):
        for name in ("status_code", "StatusCode", "status", "code"):
            value = place.get(name)
            if type(value) is int and HTTPStatus.MULTIPLE_CHOICES <= value <= _LAST_STATUS:
                return value
    return None


def _json_object(body: bytes) -> dict[str, Any]:
    """The object of a refusal, read by Python's own rules: its words count, whatever stands where a number should."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _message(content: dict[str, Any], body: bytes) -> str:
    """What the server said, on one line: the ``error`` of a JSON body, else a body that is plain text."""
    said = words_of(content)
    if not said and not content:
        text = body.decode("utf-8", "replace").strip()
        said = "" if text.startswith(("<", "{", "[")) else " ".join(text.split())
    return said


def words_of(value: object, depth: int = _DEEPEST_ERROR) -> str:
    """The words of an error: a text, an object with one in it, or such an object written as a text."""
    if isinstance(value, str):
        inner = _json_object(value.encode("utf-8", "replace")) if value.lstrip().startswith("{") and depth else {}
        return words_of(inner, depth - 1) or " ".join(value.split())
    if isinstance(value, dict) and depth:
        return next(filter(None, (words_of(value.get(name), depth - 1) for name in ("error", "message", "detail"))), "")
    return ""

"""What comes of a server's refusal: the error that it means, and the refusal itself without what it repeats.

Apart from the exchange of requests and answers, which nearly always does without.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ollama_cli.api.failures import error_for
from ollama_cli.api.raw import AnswerHead
from ollama_cli.errors import CliError, SignInError
from ollama_cli.transport.failures import wants_sign_in
from ollama_cli.transport.hiding import hide, sent_secrets
from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.proxies import proxy_for, shown
from ollama_cli.transport.retries import seconds_asked_for

SECONDS_OF_VALIDITY = 300
"""How far from its own time a server takes a signature, at most."""

_REFERENCE_HEADERS = ("X-Request-Id", "X-Ollama-Request-Id", "X-Correlation-Id", "CF-Ray")
_LONGEST_REFERENCE = 80


def head_of(response: httpx.Response) -> AnswerHead:
    """What comes before the body of an answer, without what it repeats of the credential."""
    secrets = sent_secrets(response.request)
    headers = tuple((name, hide(value, secrets)) for name, value in response.headers.multi_items())
    return AnswerHead(response.http_version, response.status_code, hide(response.reason_phrase, secrets), headers)


def without_secrets(said: bytes, request: httpx.Request) -> bytes:
    """A body without what it repeats of the credential."""
    return hide(said.decode("utf-8", "surrogateescape"), sent_secrets(request)).encode("utf-8", "surrogateescape")


def error_of_refusal(response: httpx.Response, said: bytes, base_url: str, model: str | None) -> CliError:
    """The error for an answer that is not a success.

    Args:
        response: The answer.
        said: Its body, as far as it was read.
        base_url: The server.
        model: The model that was asked for, if one was.
    """
    if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return wants_sign_in(shown(proxy_for(base_url) or base_url))
    skew = _skew(response)
    clock_agrees = skew is not None and abs(skew) <= SECONDS_OF_VALIDITY
    if response.status_code == HTTPStatus.UNAUTHORIZED and skew is not None and not clock_agrees:
        return SignInError(
            f"The server refuses the signature, for this machine's clock is {abs(skew)} seconds away from its own.",
            hint="Set the clock right and try again.",
            code="clock_wrong",
            http_status=response.status_code,
        )
    error = error_for(
        response.status_code,
        said,
        model=model,
        reference=_reference(response),
        retry_after=seconds_asked_for(response.headers.get("Retry-After"), response.headers.get("Date")),
    )
    error.clock_agrees = clock_agrees
    return error


def _reference(response: httpx.Response) -> str | None:
    """What the server calls this answer in its own records, where it names that in a header."""
    named = (response.headers.get(name, "") for name in _REFERENCE_HEADERS)
    return next((name[:_LONGEST_REFERENCE] for name in named if name), None)


def _skew(response: httpx.Response) -> int | None:
    """Seconds from the time that a request was signed with to the server's; None where either is unknown."""
    try:
        signed = int(response.request.url.params["ts"])
        return int(parsedate_to_datetime(response.headers["Date"]).timestamp()) - signed
    except (KeyError, ValueError, OverflowError):
        return None

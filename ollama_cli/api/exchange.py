"""Requests and answers with one server, with limits to what it may send, and its refusals as our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from ollama_cli.api.failures import error_for
from ollama_cli.errors import AnswerError, CliError, SignInError, UnavailableError
from ollama_cli.transport.client import patient
from ollama_cli.transport.failures import explained
from ollama_cli.transport.lean_httpx import httpx

LONGEST_ANSWER = 8 * 1024 * 1024
"""Bytes that an answer which is no stream may have."""

LONGEST_REFUSAL = 64 * 1024
"""Bytes of a refusal that are read; an error needs no more."""

SECONDS_OF_VALIDITY = 300
"""How far from its own time a server takes a signature, at most."""


class Exchange:
    """Talks to one server.

    Every method raises ``UnavailableError`` where the server cannot be reached, and the error of
    ``failures.error_for`` where it refuses.

    Args:
        http: A client for the server, with its credential.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, patience: float | None = None
    ) -> bytes:
        """Send a request, and give the whole body of its answer.

        Args:
            method: The HTTP method.
            path: The path.
            body: What to send as JSON, or None for no body.
            patience: Seconds that the server may say nothing; None is what such a request usually has.
        """
        with self._open(method, path, body, patience=patience) as response:
            content = _read(response, LONGEST_ANSWER + 1)
        if len(content) > LONGEST_ANSWER:
            raise UnavailableError("The server's answer has no end.", code="answer_invalid")
        return content

    @contextmanager
    def stream(self, method: str, path: str, body: dict[str, Any]) -> Iterator[Iterator[bytes]]:
        """Send a request, and give the body of its answer as it arrives.

        Raises:
            AnswerError: The connection was lost within the answer.
        """
        started = False
        try:
            with self._open(method, path, body, Accept="application/x-ndjson") as response:
                started = True
                yield response.iter_bytes()
        except CliError as error:
            if started and error.code == "connection_lost":
                raise AnswerError(
                    "The answer broke off: the connection was lost.", hint="What came of it is above; try again."
                ) from error
            raise

    @contextmanager
    def _open(
        self, method: str, path: str, body: dict[str, Any] | None, *, patience: float | None = None, **headers: str
    ) -> Iterator[httpx.Response]:
        usual = httpx.USE_CLIENT_DEFAULT if body is None else patient()
        timeout = usual if patience is None else httpx.Timeout(patience)
        with (
            explained(str(self._http.base_url)),
            self._http.stream(method, path, json=body, headers=headers, timeout=timeout) as response,
        ):
            if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
                raise _refusal(response, (body or {}).get("model"))
            yield response


def _refusal(response: httpx.Response, model: str | None) -> CliError:
    skew = _skew(response)
    clock_agrees = skew is not None and abs(skew) <= SECONDS_OF_VALIDITY
    if response.status_code == HTTPStatus.UNAUTHORIZED and skew is not None and not clock_agrees:
        return SignInError(
            f"The server refuses the signature, for this machine's clock is {abs(skew)} seconds away from its own.",
            hint="Set the clock right and try again.",
            code="clock_wrong",
            http_status=response.status_code,
        )
    body = _read(response, LONGEST_REFUSAL)
    error = error_for(response.status_code, body, model=model, hidden=_sent_secrets(response.request))
    error.clock_agrees = clock_agrees
    return error


def _skew(response: httpx.Response) -> int | None:
    """Seconds from the time that a request was signed with to the server's; None where either is unknown."""
    try:
        signed = int(response.request.url.params["ts"])
        return int(parsedate_to_datetime(response.headers["Date"]).timestamp()) - signed
    except (KeyError, ValueError, OverflowError):
        return None


def _sent_secrets(request: httpx.Request) -> list[str]:
    """The parts of a request's credential that a server could repeat."""
    sent = request.headers.get("Authorization", "")
    return [part for part in {sent, sent.removeprefix("Bearer "), sent.partition(":")[2]} if part]


def _read(response: httpx.Response, limit: int) -> bytes:
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) >= limit:
            break
    return bytes(content[:limit])

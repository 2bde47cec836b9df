"""Requests and answers with one server, with limits to what it may send, and its refusals as our errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from ollama_cli.api.events import LONGEST_LINE
from ollama_cli.api.failures import BREAK_HINT, error_in_stream
from ollama_cli.api.foreign_json import value_of
from ollama_cli.errors import AnswerError, CliError, UnavailableError
from ollama_cli.transport.failures import explained
from ollama_cli.transport.hiding import hidden_in_errors
from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.limits import FOR_A_MODEL, FOR_AN_ACCOUNT, Deadline, Limits
from ollama_cli.transport.retries import Retries, may_pass

if TYPE_CHECKING:
    from ollama_cli.api.raw import AnswerHead, RawRequest

LONGEST_ANSWER = 8 * 1024 * 1024
"""Bytes that an answer which is no stream may have."""

LONGEST_DETAILS = 128 * 1024 * 1024
"""Bytes that all details of a model may have: with its vocabulary they are tens of megabytes."""

LONGEST_REFUSAL = 64 * 1024
"""Bytes of a refusal that are read; an error needs no more."""

_Answer = TypeVar("_Answer")


class Exchange:
    """Talks to one server.

    Every method raises ``UnavailableError`` where the server cannot be reached, and the error of
    ``failures.error_for`` where it refuses. What fails for a moment, before anything of an answer came, is tried again.

    Args:
        http: A client for the server, with its credential.
        retries: How that is done; None is not at all.
        deadline: The time for everything, whole answers included, to which the client's connections keep; None is no
            limit.
        model_limits: The limits of each step of a request with a body, which a model answers.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        retries: Retries | None = None,
        deadline: Deadline | None = None,
        model_limits: Limits = FOR_A_MODEL,
    ) -> None:
        self._http = http
        self._retries = retries
        self._deadline = deadline or Deadline()
        self._model_limits = model_limits

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        patience: float | None = None,
        repeatable: bool = True,
        longest: int = LONGEST_ANSWER,
    ) -> bytes:
        """Send a request, and give the whole body of its answer.

        Args:
            method: The HTTP method.
            path: The path.
            body: What to send as JSON, or None for no body.
            patience: Seconds that the server may say nothing, from a caller who asks again by itself: it is asked once
                only. None is what such a request usually has.
            repeatable: Whether it does no harm to send it again when the first answer was lost.
            longest: Bytes that the answer may have.
        """
        limits = FOR_AN_ACCOUNT if body is None else self._model_limits
        if patience is not None:
            limits = Limits(patience, patience, patience)

        def attempt() -> bytes:
            with self._open(method, path, body, limits) as response:
                return _read(self._deadline.parts_of(response), longest + 1)

        content = attempt() if patience is not None else self._tried(attempt, repeatable=repeatable)
        if len(content) > longest:
            raise UnavailableError("The server's answer has no end.", code="answer_invalid")
        return content

    @contextmanager
    def stream(
        self, method: str, path: str, body: dict[str, Any], *, repeatable: bool = True, limits: Limits | None = None
    ) -> Iterator[Iterator[bytes]]:
        """Send a request, and give the body of its answer as it arrives. Nothing is tried again after its first line.

        Args:
            method: Such as ``POST``.
            path: The path of the API.
            body: What is sent, as JSON.
            repeatable: Whether it does no harm to send it again when the first answer was lost.
            limits: The limits of each step; None is what a model has.

        Raises:
            AnswerError: The connection was lost within the answer.
        """
        limits = limits or self._model_limits

        def attempt() -> tuple[ExitStack, Iterator[bytes]]:
            with ExitStack() as opened:
                answered = self._open(method, path, body, limits, Accept="application/x-ndjson")
                response = opened.enter_context(answered)
                parts = self._deadline.parts_of(response)
                first = _first_line(parts)
                _raise_if_it_may_pass(first, body.get("model"))
                held = opened.pop_all()
            return held, chain([first], parts)

        opened, parts = self._tried(attempt, repeatable=repeatable)
        with _broken_off(), opened:
            yield parts

    @contextmanager
    def raw(
        self, request: RawRequest, *, on_refusal: Callable[[AnswerHead, bytes], None]
    ) -> Iterator[tuple[AnswerHead, Iterator[bytes]]]:
        """Send any request, and give its answer as it arrives. Nothing is tried again once its head is there.

        Args:
            request: The request.
            on_refusal: Given each answer that is no success, without what it repeats of the credential.

        Raises:
            AnswerError: The connection was lost within the answer.
        """
        from ollama_cli.api.refusals import head_of

        limits = FOR_AN_ACCOUNT if request.body is None else self._model_limits
        sent = {"content": request.body, "headers": list(request.headers)}

        def attempt() -> tuple[ExitStack, httpx.Response]:
            with ExitStack() as opened:
                answered = self._answered(
                    request.method, request.url, limits, model=request.model, on_refusal=on_refusal, **sent
                )
                response = opened.enter_context(answered)
                held = opened.pop_all()
            return held, response

        opened, response = self._tried(attempt, repeatable=request.may_be_repeated)
        with _broken_off(), opened:
            yield head_of(response), self._deadline.parts_of(response)

    def _tried(self, attempt: Callable[[], _Answer], *, repeatable: bool) -> _Answer:
        if self._retries is None:
            return attempt()
        return self._retries.call(attempt, repeatable=repeatable, seconds_left=self._deadline.left)

    @contextmanager
    def _open(
        self, method: str, path: str, body: dict[str, Any] | None, limits: Limits, **headers: str
    ) -> Iterator[httpx.Response]:
        sent: dict[str, Any] = {"headers": headers}
        if body is not None:
            sent = {"headers": {"Content-Type": "application/json", **headers}, "content": _written(body)}
        with self._answered(method, path, limits, model=_model_in(body), **sent) as response:
            yield response

    @contextmanager
    def _answered(
        self,
        method: str,
        url: str,
        limits: Limits,
        *,
        model: str | None,
        on_refusal: Callable[[AnswerHead, bytes], None] | None = None,
        **sent: Any,  # noqa: ANN401 - what httpx takes
    ) -> Iterator[httpx.Response]:
        timeout = self._deadline.timeout(limits)
        base_url = str(self._http.base_url)
        try:
            with (
                explained(base_url),
                self._http.stream(method, url, timeout=timeout, **sent) as response,
                hidden_in_errors(response.request),
            ):
                if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
                    from ollama_cli.api.refusals import error_of_refusal, head_of, without_secrets

                    said = _read(response.iter_bytes(), LONGEST_REFUSAL)
                    if on_refusal is not None:
                        on_refusal(head_of(response), without_secrets(said, response.request))
                    raise error_of_refusal(response, said, base_url, model)
                response.request.extensions["timeout"]["read"] = min(limits.idle, self._deadline.left)
                yield response
        except CliError as error:
            self._deadline.check(error)
            raise


def _written(body: dict[str, Any]) -> bytes:
    """A body as it is sent. Half a character, which JSON may name and nothing can send, becomes a mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


def _model_in(body: dict[str, Any] | None) -> str | None:
    """The model that a request is about: one that is copied is named as its source."""
    return (body or {}).get("model") or (body or {}).get("source")


@contextmanager
def _broken_off() -> Iterator[None]:
    """Tell what goes wrong within the body of an answer as that."""
    try:
        yield
    except CliError as error:
        if error.code == "connection_lost":
            raise AnswerError("The answer broke off: the connection was lost.", hint=BREAK_HINT) from error
        if error.code == "answer_invalid" and isinstance(error, UnavailableError):
            raise AnswerError(error.message, hint=BREAK_HINT, code=error.code) from error
        raise


def _first_line(parts: Iterator[bytes]) -> bytes:
    """The first parts of a body, up to the end of its first line."""
    first = bytearray()
    for part in parts:
        first += part
        if b"\n" in part or len(first) > LONGEST_LINE:
            break
    return bytes(first)


def _raise_if_it_may_pass(first: bytes, model: str | None) -> None:
    """Raise the error that an answer begins with, where it is one that is tried again."""
    if b'"error"' not in first:
        return
    try:
        content = json.loads(first.partition(b"\n")[0])
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict) and content.get("error"):
        error = error_in_stream(content, model)
        if may_pass(error):
            raise error


def _read(parts: Iterator[bytes], limit: int) -> bytes:
    content = bytearray()
    for part in parts:
        content += part
        if len(content) >= limit:
            break
    return bytes(content[:limit])


def json_of(body: bytes, *, read: Callable[[bytes], object] = value_of) -> object:
    """The JSON of a whole answer.

    Raises:
        UnavailableError: It holds none.
    """
    try:
        return read(body)
    except (ValueError, RecursionError) as error:
        raise UnavailableError(
            "The server's answer is not what an Ollama server answers.",
            hint="A proxy or a sign-in page of the network may stand in between.",
            code="answer_invalid",
        ) from error


def confirm(body: bytes) -> None:
    """Take an answer as a yes only if it is JSON without an error, or nothing: a portal's page confirms nothing.

    Raises:
        UnavailableError: It is no yes.
    """
    content = json_of(body) if body.strip() else None
    if isinstance(content, dict) and "error" in content:
        raise UnavailableError(
            "The server answers with an error under a status that means success, so nothing is confirmed.",
            hint="Try again in a moment.",
            code="answer_invalid",
        )

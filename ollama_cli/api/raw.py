"""Any request to a server, and its answer as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ollama_cli.api.events import lines
from ollama_cli.api.failures import BREAK_HINT, error_in_stream
from ollama_cli.errors import AnswerError, CliError, SafetyError, UsageError
from ollama_cli.settings.hosts import origin_of

if TYPE_CHECKING:
    from ollama_cli.api.place import Place

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods for which it makes no difference whether a request is carried out once or twice."""


@dataclass(frozen=True)
class RawRequest:
    """A request.

    Attributes:
        method: In capitals.
        url: Where it goes: whole, see ``url_at``, or a path of the API.
        headers: What it says besides what every request does.
        body: What is sent: bytes, or pieces that can be gone through more than once; None is no body.
        model: The model that it is about, where that is known.
        repeatable: Whether it does no harm to send it again when the first answer was lost; None is what its method is.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterable[bytes] | None = None
    model: str | None = None
    repeatable: bool | None = None

    @property
    def may_be_repeated(self) -> bool:
        """Whether it is sent again when the first answer was lost."""
        return self.method in _REPEATABLE if self.repeatable is None else self.repeatable


@dataclass(frozen=True)
class AnswerHead:
    """What comes before the body of an answer; what it repeats of a credential is hidden.

    Attributes:
        version: Such as ``HTTP/1.1``.
        status: The HTTP status.
        reason: What the server calls it.
        headers: Names and values, as they came.
    """

    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]

    @property
    def content_type(self) -> str:
        """What the body is, without parameters, in small letters; nothing where the server does not say."""
        told = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        return told.partition(";")[0].strip().lower()


def url_at(place: Place, text: str) -> str:
    """The whole address for what a person typed: a path, or an address at that very server.

    Args:
        place: The server.
        text: Such as ``/api/tags``, with or without the slash, or ``https://ollama.com/api/tags``.

    Raises:
        SafetyError: It leads to another server.
        UsageError: It is no path.
    """
    if re.search(r"[\x00-\x20\x7f#\\]", text):
        raise UsageError("The path holds a blank, a backslash or a #, which no path has.", hint="Write %20, %5C, %23.")
    if text.startswith("//"):
        raise _elsewhere(place)
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return f"{place.base_url}/{text.removeprefix('/')}"
    try:
        parts, origin = urlsplit(text), origin_of(text)
    except ValueError as error:
        raise UsageError("That is no address.", hint="Name a path, such as /api/tags.") from error
    if "@" in parts.netloc or origin != place.origin:
        raise _elsewhere(place)
    # The server's name is ours, not the one that was typed, so that nothing can be read into it in another way.
    path = text.partition("://")[2].removeprefix(parts.netloc)
    return f"{place.origin}{path if path.startswith('/') else f'/{path}'}"


def watched(parts: Iterable[bytes], model: str | None) -> Iterator[bytes]:
    """The body of an NDJSON answer, unchanged; at its end, what was wrong with it is raised.

    Args:
        parts: The body as it arrives.
        model: The model that was asked, where that is known.

    Raises:
        CliError: A line told an error; the first counts.
        AnswerError: The last line says that it is not the last.
    """
    passed: list[bytes] = []

    def noted() -> Iterator[bytes]:
        for part in parts:
            passed.append(part)
            yield part

    wrong: CliError | None = None
    unfinished = False
    for line in lines(noted()):
        while passed:
            yield passed.pop(0)
        content = _object_in(line)
        if content.get("error"):
            wrong = wrong or error_in_stream(content, model)
        unfinished = content.get("done") is False if content else unfinished
    yield from passed
    if wrong is not None:
        raise wrong
    if unfinished:
        raise AnswerError("The answer broke off before its end.", hint=BREAK_HINT)


def unknown_path(error: CliError, url: str) -> CliError:
    """The error for a 404 that says nothing about a model: here it is the path, not the server, that is wrong."""
    if error.http_status != HTTPStatus.NOT_FOUND or error.code != "answer_invalid":
        return error
    return UsageError(
        f"The server has nothing at {urlsplit(url).path} ({error.http_status}).",
        hint="Ollama's own paths begin with /api/, those that it shares with OpenAI's with /v1/.",
        code="bad_request",
        http_status=error.http_status,
    )


def _object_in(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _elsewhere(place: Place) -> SafetyError:
    """The error for an address elsewhere; it may hold a password, and is not repeated."""
    return SafetyError(
        f"That address is not at {place.origin}; a request goes to no other server.",
        hint="Name a path, such as /api/tags. OLLAMA_HOST and --local say at which server.",
    )

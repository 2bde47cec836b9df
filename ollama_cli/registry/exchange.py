"""One request to a registry, or to where it leads, and its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from urllib.parse import urljoin

from ollama_cli.errors import AnswerError
from ollama_cli.settings.hosts import origin_of
from ollama_cli.transport.failures import explained
from ollama_cli.transport.hiding import hidden_in_errors
from ollama_cli.transport.lean_httpx import httpx

TIMEOUT = httpx.Timeout(30, connect=10)
"""Seconds for each step of a request; what a server is silent for longer is begun again."""

LONGEST_REFUSAL = 64 * 1024
"""Bytes of a refusal, or of another short answer, that are read."""


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
    """Send a request, and give its answer, whose body is not read yet.

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


def read_some(response: httpx.Response, longest: int = LONGEST_REFUSAL) -> bytes:
    """The body of an answer, up to a length; what is longer is cut a little behind it."""
    read = bytearray()
    for piece in response.iter_raw():  # unpacked, a few bytes could become any number
        read += piece
        if len(read) > longest:
            break
    return bytes(read)

"""Time limits, each held to a server that says nothing, or nothing more; without the limit its test would not end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from asyncio_server import ConnectionHandler, asyncio_server

from ollama_cli.api.exchange import Exchange
from ollama_cli.errors import CliError, UnavailableError
from ollama_cli.transport.client import open_client
from ollama_cli.transport.limits import Deadline, Limits
from ollama_cli.transport.retries import Retries

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"
Talk = Callable[..., Exchange]


def saying(*words: bytes, again: bytes = b"") -> ConnectionHandler:
    """A server that says something and then nothing more, or the same again and again."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"".join(words))
        while again:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(0.01)
        await reader.read()  # until the client leaves
        await reader.read()

    return handle


@pytest.fixture
def talk() -> Iterator[Talk]:
    """Starts a server, and talks to it."""
    with ExitStack() as stack:

        def start(
            handler: ConnectionHandler,
            limits: Limits | None = None,
            *,
            total_seconds: float | None = None,
            retries: Retries | None = None,
        ) -> Exchange:
            address, deadline = (
                f"http://127.0.0.1:{stack.enter_context(asyncio_server(handler))}",
                Deadline(total_seconds),
            )
            http = stack.enter_context(open_client(address, None, user_agent="test", deadline=deadline))
            return Exchange(http, retries=retries, deadline=deadline, model_limits=limits or Limits(5, 30, 30))

        yield start


def stream(exchange: Exchange) -> tuple[bytes, CliError]:
    """What comes of a stream, and the error that ends it."""
    came = b""
    with pytest.raises(CliError) as caught, exchange.stream("POST", "/api/generate", {}) as parts:  # noqa: PT012
        for part in parts:
            came += part
    return came, caught.value


def test_no_first_byte(talk: Talk) -> None:
    came, error = stream(talk(saying(), Limits(5, 0.05, 30)))
    assert (came, error.code, error.status) == (b"", "timeout", 7)


def test_an_answer_that_stands_still(talk: Talk) -> None:
    came, error = stream(talk(saying(HEAD, b"{}\n"), Limits(5, 30, 0.05)))
    assert (came, error.code, error.status) == (b"{}\n", "timeout", 7)


@pytest.mark.parametrize(("seconds", "told"), [(0.05, "within 0.05 seconds."), (1, "within 1 second.")])
def test_the_time_is_over_before_an_answer(talk: Talk, seconds: float, told: str) -> None:
    came, error = stream(talk(saying(), total_seconds=seconds))
    assert (came, error.code, error.status) == (b"", "timed_out", 7)
    assert told in error.message


def test_the_time_is_over_within_the_head_of_an_answer(talk: Talk) -> None:
    """A byte at a time: no step of it takes long."""
    came, error = stream(talk(saying(b"HTTP/1.1 200 OK\r\nX-Patience: ", again=b"a"), total_seconds=0.2))
    assert (came, error.code, error.status) == (b"", "timed_out", 7)


def test_the_time_is_over_while_a_request_is_sent(talk: Talk) -> None:
    """To a server that reads as slowly as it can."""

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            await asyncio.sleep(0.01)

    with pytest.raises(UnavailableError) as caught:
        talk(handle, total_seconds=0.2).send("POST", "/api/embed", {"input": "a" * 64 * 1024 * 1024})
    assert caught.value.code == "timed_out"


@pytest.mark.parametrize("again", [b"", b"{}\n"], ids=["stalled", "endless"])
@pytest.mark.parametrize("framing", [b"", b"Content-Length: 99999999\r\n"], ids=["until-closed", "announced"])
def test_the_time_is_over_within_an_answer(talk: Talk, again: bytes, framing: bytes) -> None:
    head = HEAD.removesuffix(b"\r\n") + framing + b"\r\n"
    came, error = stream(talk(saying(head, b"{}\n", again=again), total_seconds=1))
    assert came.startswith(b"{}\n")
    assert (error.code, error.status) == ("timed_out", 7)


def test_the_time_holds_for_an_answer_at_once(talk: Talk) -> None:
    with pytest.raises(UnavailableError) as caught:
        talk(saying(HEAD, again=b"x"), total_seconds=0.1).send("POST", "/api/embed", {})
    assert caught.value.code == "timed_out"


def test_no_further_try_is_begun_that_the_time_does_not_hold(talk: Talk) -> None:
    overloaded = b"HTTP/1.1 503 Overloaded\r\nRetry-After: 20\r\nContent-Length: 0\r\n\r\n"
    _, error = stream(talk(saying(overloaded), total_seconds=10, retries=Retries()))
    assert (error.code, error.http_status) == ("server_error", 503)


def test_time_that_is_over_sends_nothing(talk: Talk) -> None:
    exchange = talk(saying(HEAD, b"{}\n"), total_seconds=0)
    with pytest.raises(UnavailableError) as caught:
        exchange.send("GET", "/api/tags")
    assert caught.value.code == "timed_out"

"""Both ways to send a request, the pooled one and the one-shot's, are one to whoever sends: the same suite for both."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme
from asyncio_server import ConnectionHandler, answering_bytes, asyncio_server, saying_bytes
from ollama_com import tls_for

from ollama_cli.errors import UnavailableError
from ollama_cli.transport.client import open_client
from ollama_cli.transport.failures import explained
from ollama_cli.transport.lean_httpx import httpx

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(params=[False, True], ids=["pooled", "one-shot"])
def one_shot(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@contextmanager
def client_of(port: int, *, one_shot: bool, scheme: str = "http", host: str = "127.0.0.1") -> Iterator[httpx.Client]:
    url = f"{scheme}://{host}:{port}"
    with open_client(url, None, user_agent="test", one_shot=one_shot) as client, explained(url):
        client.timeout = httpx.Timeout(10)
        yield client


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (CHUNKED + b"3\r\nabc\r\n4;name=value\r\ndefg\r\n0\r\nA-Trailer: x\r\n\r\n", b"abcdefg"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    ],
    ids=["length", "empty", "no content", "to the end", "HTTP 1.0", "chunked", "100", "103", "a header beyond ASCII"],
)
def test_an_answer_is_read_to_its_end(answer: bytes, content: bytes, one_shot: bool) -> None:
    with asyncio_server(answering_bytes(answer)) as port, client_of(port, one_shot=one_shot) as client:
        response = client.get("/")
        assert (response.status_code, response.content) in {(200, content), (204, content)}
        assert response.http_version == ("HTTP/1.0" if b"HTTP/1.0" in answer else "HTTP/1.1")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 2",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        CHUNKED,
        CHUNKED + b"3\r\nabc\r\n",
        CHUNKED + b"FF\r\nabc",
        CHUNKED + b"three\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
    ],
    ids=[
        "nothing", "half a status", "another protocol", "half a head", "short", "no chunk", "no last chunk",
        "half a chunk", "no size", "many headers", "a long header", "only hints",
    ],
)  # fmt: skip
def test_an_answer_that_is_not_whole_is_a_lost_connection(answer: bytes, one_shot: bool) -> None:
    with (
        pytest.raises(UnavailableError) as raised,
        asyncio_server(answering_bytes(answer)) as port,
        client_of(port, one_shot=one_shot) as client,
    ):
        client.get("/")
    assert raised.value.code == "connection_lost"


class Counting:
    """Answers every request of a connection, and counts the connections."""

    def __init__(self, answers_each: int = 1000) -> None:
        self.connections = 0
        self.bodies: list[bytes] = []
        self._answers_each = answers_each

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for _ in range(self._answers_each):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            self.bodies.append(await reader.readexactly(int(length[1]) if length else 0))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()


def test_an_answer_that_is_only_ever_announced_is_given_up() -> None:
    async def announce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while True:  # until the client leaves
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50)
            await writer.drain()

    with (
        pytest.raises(UnavailableError, match="broke off"),
        asyncio_server(announce) as port,
        client_of(port, one_shot=True) as client,
    ):
        client.get("/")


def test_a_connection_is_kept_for_the_next_request(one_shot: bool) -> None:
    server = Counting()
    with asyncio_server(server) as port, client_of(port, one_shot=one_shot) as client:
        for number in range(3):
            assert client.post("/", json={"number": number}).text == "ok"
    assert server.connections == 1
    assert server.bodies == [b'{"number":0}', b'{"number":1}', b'{"number":2}']


def test_an_answer_that_was_not_read_ends_its_connection(one_shot: bool) -> None:
    server = Counting()
    with asyncio_server(server) as port, client_of(port, one_shot=one_shot) as client:
        for _ in range(2):
            with client.stream("GET", "/"):
                pass
    assert server.connections == 2


def test_a_connection_that_the_server_has_closed_is_not_used_again(one_shot: bool) -> None:
    server = Counting(answers_each=1)
    with asyncio_server(server) as port, client_of(port, one_shot=one_shot) as client:
        with client.stream("GET", "/") as response:
            watched = response.extensions["network_stream"].get_extra_info("socket").dup()
            response.read()
        with watched:
            watched.settimeout(10)
            assert watched.recv(1) == b""  # the server's end has come
        assert client.get("/").text == "ok"
    assert server.connections == 2


def test_a_refusal_in_the_middle_of_a_body_is_read(one_shot: bool) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch")
        await writer.drain()
        writer.write_eof()
        while await reader.read(65536):  # else the rest of the body would reset the connection
            pass

    with asyncio_server(refuse) as port, client_of(port, one_shot=one_shot) as client:
        response = client.post("/", content=b"x" * 3_000_000)
        assert (response.status_code, response.text) == (413, "much")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", CHUNKED + b"3\r\nabc\r\n"], ids=["no", "head", "body"])
def test_a_server_that_stops_is_told(sent: bytes, one_shot: bool) -> None:
    async def stop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        await reader.read()

    with (
        pytest.raises(UnavailableError) as raised,
        asyncio_server(stop) as port,
        client_of(port, one_shot=one_shot) as client,
    ):
        client.get("/", timeout=httpx.Timeout(10, read=0.05))
    assert raised.value.code == "timeout"


def reset() -> ConnectionHandler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    return handle


def test_a_connection_that_is_reset_is_lost(one_shot: bool) -> None:
    with (
        pytest.raises(UnavailableError) as raised,
        asyncio_server(reset()) as port,
        client_of(port, one_shot=one_shot) as client,
    ):
        client.get("/")
    assert raised.value.code == "connection_lost"


def test_the_certificate_is_held_to_the_name(one_shot: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    authority = trustme.CA()
    file = f"{tmp_path}/authority.pem"
    authority.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", file)
    answer = answering_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with (
        asyncio_server(answer, tls_for("localhost", authority=authority)) as port,
        client_of(port, one_shot=one_shot, scheme="https", host="localhost") as client,
    ):
        assert client.get("/").text == "ok"
    with (
        asyncio_server(answer, tls_for("another.example", authority=authority)) as port,
        pytest.raises(UnavailableError) as raised,
        client_of(port, one_shot=one_shot, scheme="https", host="localhost") as client,
    ):
        client.get("/")
    assert raised.value.code == "tls"


def test_who_speaks_no_tls_is_told(one_shot: bool) -> None:
    with (
        asyncio_server(saying_bytes(b"220 mail.example ESMTP\r\n")) as port,
        pytest.raises(UnavailableError) as raised,
        client_of(port, one_shot=one_shot, scheme="https") as client,
    ):
        client.get("/")
    assert "does not speak TLS" in raised.value.message


def test_a_handshake_that_does_not_end_is_told(one_shot: bool) -> None:
    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    with (
        asyncio_server(listen) as port,
        pytest.raises(UnavailableError) as raised,
        client_of(port, one_shot=one_shot, scheme="https") as client,
    ):
        client.get("/", timeout=httpx.Timeout(10, connect=0.05))
    assert raised.value.code == "timeout"

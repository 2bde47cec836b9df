"""A stream through the gateway: each byte as it came, no faster than it is taken, and broken where it broke."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from scripted_server import DONE, ScriptedServer, Seen, chunk, everything, head, plain
from serve_process import MODEL, Serve

from ollama_cli.serve.relay import LONGEST_REFUSAL

SECONDS = 30
QUESTION = json.dumps({"model": MODEL, "prompt": "hi"}).encode()
PIECES = [b'{"response":"Hel","done":false}\n', b'{"respo', b'nse":"\xff\x00"}\n\n', b" not json at all\r\n", DONE]


def ask(serve: Serve, body: bytes = QUESTION, path: str = "/api/generate") -> socket.socket:
    """A connection on which a question was sent."""
    connection = serve.connect()
    connection.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\n" % path.encode())
    connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    return connection


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """What is answered up to some bytes."""
    read = b""
    while end not in read:
        part = connection.recv(65536)
        assert part, read
        read += part
    return read


@contextmanager
def asking(serve: Serve) -> Iterator[http.client.HTTPResponse]:
    """A question, and its answer piece by piece."""
    host, _, port = serve.url.removeprefix("http://").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS)
    connection.request("POST", "/api/generate", QUESTION)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def is_complete(answer: http.client.HTTPResponse) -> bool:
    """Whether an answer ends as it has to."""
    try:
        answer.read()
    except (http.client.IncompleteRead, ConnectionError):
        return False
    return answer.length in {0, None}


def test_each_piece_is_there_when_it_came_and_as_it_came(gateway: Serve, cloud: ScriptedServer) -> None:
    next_one = threading.Semaphore(0)

    def script(_: Seen, connection: socket.socket) -> None:
        connection.sendall(head())
        for piece in PIECES:
            assert next_one.acquire(timeout=SECONDS)
            connection.sendall(chunk(piece))
        connection.sendall(chunk(b""))

    cloud.script = script
    with asking(gateway) as answer:
        for piece in PIECES:
            next_one.release()
            assert answer.read1(len(piece)) == piece  # no piece waits for the next
        assert answer.read() == b""


def test_an_answer_in_a_compression_that_the_client_takes_stays_packed(gateway: Serve, cloud: ScriptedServer) -> None:
    packed = bytes(range(256)) * 100
    cloud.answers(plain(packed, "200 OK", "Content-Encoding: gzip"))
    with gateway.client() as client, client.stream("POST", "/api/chat", content=QUESTION) as answer:
        assert b"".join(answer.iter_raw()) == packed
        assert answer.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("before", [b"", PIECES[0]], ids=["before its first byte", "in mid-stream"])
def test_the_cloud_is_left_as_soon_as_the_client_leaves(gateway: Serve, cloud: ScriptedServer, before: bytes) -> None:
    asked, left = threading.Event(), threading.Event()

    def script(_: Seen, connection: socket.socket) -> None:
        if before:
            connection.sendall(head() + chunk(before))
        asked.set()
        assert connection.recv(1) == b""
        left.set()

    cloud.script = script
    connection = ask(gateway)
    assert asked.wait(SECONDS)
    if before:
        read_until(connection, before)
    connection.close()
    assert left.wait(SECONDS)


def test_a_client_that_asks_twice_at_once_and_leaves_is_noticed(gateway: Serve, cloud: ScriptedServer) -> None:
    asked, left = threading.Event(), threading.Event()

    def script(_: Seen, connection: socket.socket) -> None:
        connection.sendall(head() + chunk(PIECES[0]))
        asked.set()
        assert connection.recv(1) == b""
        left.set()

    cloud.script = script
    connection = ask(gateway)
    assert asked.wait(SECONDS)
    read_until(connection, PIECES[0])  # so that it is already waited for the client to leave
    connection.sendall(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.close()
    assert left.wait(SECONDS)
    again = ask(gateway)
    with suppress(ConnectionError):  # so many requests at once are no client's
        again.sendall(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n" * 30_000)
    everything(again)
    again.close()


def test_a_client_that_does_not_read_holds_up_the_cloud_alone(gateway: Serve, cloud: ScriptedServer) -> None:
    sent = [0]
    much = b"x" * 65536
    waiting = threading.Event()

    def script(seen: Seen, connection: socket.socket) -> None:
        if seen.json["prompt"] != "much":
            connection.sendall(plain(DONE))
            return
        connection.sendall(head())
        connection.settimeout(0.5)
        try:
            while sent[0] < 400:
                connection.sendall(chunk(much))
                sent[0] += 1
        except TimeoutError:
            waiting.set()
            return

    cloud.script = script
    before = gateway.resident()
    slow = gateway.connect()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    body = json.dumps({"model": MODEL, "prompt": "much"}).encode()
    slow.sendall(b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert waiting.wait(SECONDS)  # 26 MB were to come, and the cloud was held up long before
    assert sent[0] < 300
    assert gateway.resident() - before < 10_000_000
    with asking(gateway) as answer:
        assert answer.read() == DONE
    slow.close()


@pytest.mark.parametrize(
    "answer",
    [
        head() + chunk(PIECES[0]) + b"ff\r\nhalf of",
        head() + chunk(PIECES[0]),
        head() + chunk(PIECES[0]) + b"not a length\r\n",
        plain(PIECES[0] + DONE).removesuffix(DONE),
    ],
    ids=["within a piece", "between two", "garbage for a length", "before its length"],
)
def test_a_cloud_that_dies_in_mid_stream_is_seen_to(gateway: Serve, cloud: ScriptedServer, answer: bytes) -> None:
    cloud.answers(answer)
    with asking(gateway) as broken:
        assert broken.status == 200
        assert broken.read1(len(PIECES[0])) == PIECES[0]
        assert not is_complete(broken)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"what?\r\n\r\n",
        b"\x00" * 100,
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["nothing", "half a head", "no HTTP", "zeros", "an odd status"],
)
def test_a_cloud_that_answers_nothing_is_a_bad_gateway(gateway: Serve, cloud: ScriptedServer, answer: bytes) -> None:
    cloud.answers(answer)
    with gateway.client() as client:
        told = client.post("/api/generate", content=QUESTION)
    assert told.status_code == 502
    assert told.json()["error"]


@pytest.mark.parametrize(
    "answer",
    [
        plain(b'{"error":"slow down"}', "429 Slow")[:-5],
        plain(b"no gzip", "429 Slow", "Content-Encoding: gzip"),
    ],
    ids=["broken off", "no gzip"],
)
def test_an_error_that_cannot_be_read_keeps_its_status(gateway: Serve, cloud: ScriptedServer, answer: bytes) -> None:
    cloud.answers(answer)
    with gateway.client() as client:
        for path in ("/api/generate", "/v1/chat/completions"):
            told = client.post(path, content=QUESTION)
            assert (told.status_code, "the status 429" in str(told.json()["error"])) == (429, True)


@pytest.mark.parametrize("length", [5, 500])
def test_a_length_beside_chunks_says_nothing(gateway: Serve, cloud: ScriptedServer, length: int) -> None:
    in_chunks = head().replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % length)
    cloud.answers(in_chunks + chunk(DONE) + chunk(b""))
    with asking(gateway) as answer:
        assert answer.read() == DONE
        assert answer.getheader("content-length") is None


def test_a_refusal_that_breaks_off_has_the_link_all_the_same(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(plain(b'{"error":"no"}', "401 No")[:-5])
    with gateway.client() as client:
        told = client.post("/api/generate", content=QUESTION)
    assert (told.status_code, told.json()["error"]) == (401, "unauthorized")
    assert told.json()["signin_url"].startswith(f"{cloud.url}/connect?")


def test_an_error_without_end_is_cut(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(plain(b"x" * (LONGEST_REFUSAL + 1), "400 Bad Request"))
    with gateway.client() as client:
        told = client.post("/api/generate", content=QUESTION)
    assert (told.status_code, len(told.content)) == (400, LONGEST_REFUSAL)


def test_a_long_error_comes_whole(gateway: Serve, cloud: ScriptedServer) -> None:
    error = json.dumps({"error": "x" * 300_000}).encode()
    cloud.answers(plain(error, "400 Bad Request"))
    with gateway.client() as client:
        assert client.post("/api/generate", content=QUESTION).content == error


def test_a_cloud_that_is_not_there_is_a_bad_gateway_in_each_form(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(b"")
    with gateway.client() as client:
        openai = client.post("/v1/chat/completions", content=QUESTION)
        anthropic = client.post("/v1/messages", content=QUESTION)
    assert openai.status_code == anthropic.status_code == 502
    assert openai.json()["error"]["message"]
    assert anthropic.json()["type"] == "error"
    assert anthropic.json()["error"]["message"]


def test_a_cloud_that_stalls_stalls_its_client_alone(gateway: Serve, cloud: ScriptedServer) -> None:
    stalled, goes_on = threading.Event(), threading.Event()

    def script(seen: Seen, connection: socket.socket) -> None:
        if seen.json["prompt"] == "hi":
            connection.sendall(plain(DONE))
            return
        connection.sendall(head() + chunk(PIECES[0]))
        stalled.set()
        assert goes_on.wait(SECONDS)
        connection.sendall(chunk(DONE) + chunk(b""))

    cloud.script = script
    waiting = ask(gateway, json.dumps({"model": MODEL, "prompt": "stall"}).encode())
    assert stalled.wait(SECONDS)
    read_until(waiting, PIECES[0])
    with asking(gateway) as other:
        assert other.read() == DONE
    waiting.setblocking(False)
    with pytest.raises(BlockingIOError):
        waiting.recv(1)
    waiting.settimeout(SECONDS)
    goes_on.set()
    read_until(waiting, chunk(DONE) + chunk(b""))
    waiting.close()


def test_a_redirect_is_neither_followed_nor_passed_on(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(plain(b"", "307 Temporary Redirect", f"Location: {cloud.url}/elsewhere"))
    with gateway.client() as client:
        told = client.post("/api/generate", content=QUESTION)
    assert told.status_code == 502
    assert "location" not in told.headers
    assert cloud.one.path == "/api/generate"


def test_two_hundred_streams_at_once_are_not_mixed_up(gateway: Serve, cloud: ScriptedServer) -> None:
    count, lines = 200, 40
    all_there, settled = threading.Barrier(count), threading.Barrier(count + 1)

    def script(seen: Seen, connection: socket.socket) -> None:
        name = seen.json["prompt"].encode()
        connection.sendall(head())
        all_there.wait(SECONDS)
        for number in range(lines):
            if number == lines // 4:
                settled.wait(SECONDS)  # and once more when memory was looked at
                settled.wait(SECONDS)
            connection.sendall(chunk(b'{"response":"%s %d"}\n' % (name, number)))
        connection.sendall(chunk(b""))

    cloud.script = script
    connections = {}
    for number in range(count):
        connections[number] = ask(gateway, json.dumps({"model": MODEL, "prompt": f"stream {number}"}).encode())
    settled.wait(SECONDS)
    before = gateway.resident()
    settled.wait(SECONDS)
    for number, connection in connections.items():
        wanted = b"".join(b'{"response":"stream %d %d"}\n' % (number, line) for line in range(lines))
        answer = read_until(connection, b"\r\n0\r\n\r\n").partition(b"\r\n\r\n")[2]
        assert unchunked(answer) == wanted
        connection.close()
    assert gateway.resident() - before < 20_000_000


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return whole


def test_a_connection_serves_one_request_after_the_other(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(head() + chunk(DONE) + chunk(b""))
    with gateway.client() as client:
        answers = [client.post("/api/generate", content=QUESTION).content for _ in range(3)]
    assert answers == [DONE] * 3


def test_an_error_of_the_cloud_does_not_repeat_the_credential(gateway: Serve, cloud: ScriptedServer) -> None:
    def script(seen: Seen, connection: socket.socket) -> None:
        signature = (seen.header("authorization") or "").rpartition(":")[2]
        told = json.dumps({"error": f"refused {signature}"}).encode()
        connection.sendall(plain(told, "400 Bad Request", f"X-Signature: {signature}", "X-Other: 1"))

    cloud.script = script
    with gateway.client() as client:
        told = client.post("/api/generate", content=QUESTION)
    assert (told.status_code, told.json()) == (400, {"error": "refused [hidden]"})
    assert (told.headers.get("x-signature"), told.headers["x-other"]) == (None, "1")

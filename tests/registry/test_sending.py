"""A push whose registry breaks off, or answers before it was sent anything; and the way that is taken by itself."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpcore
import pytest
import trustme
from asyncio_server import asyncio_server
from lying_registry import Lying, RegistryHandler
from models_on_disk import cheap_bytes, digest_of, put_model
from ollama_com import tls_for
from support import Cli

from ollama_cli.transport.client import open_client
from ollama_cli.transport.early_answers import PatientBackend

pytestmark = pytest.mark.forked

LAYER = cheap_bytes(3_000_000)
KEPT = 1_000_000


@dataclass
class Uploads:
    """What a registry holds that takes parts in a row, and breaks off once within the first, and once at the end.

    Attributes:
        held: The bytes of the layer that it has.
        ranges: The parts that it was sent, by where they begin.
        whole: Whether the layer is there.
    """

    held: bytearray = field(default_factory=bytearray)
    ranges: list[int] = field(default_factory=list)
    whole: bool = False

    def answer(self, handler: RegistryHandler) -> bool:
        if digest_of(LAYER) not in handler.path and "/uploads/" not in handler.path:
            return handler.send(201 if handler.command == "PUT" else 200)  # the configuration is there already
        place = {"Location": "/v2/library/tiny/blobs/uploads/1?state=x"}
        if handler.command == "HEAD":
            return handler.send(200 if self.whole else 404)
        if handler.command == "POST":
            return handler.send(202, b"", place)
        if handler.command == "GET":
            return handler.send(204, b"", {**place, "Range": f"0-{len(self.held) - 1}"})
        if handler.command == "PUT":
            assert "state=x&digest=sha256%3A" in handler.path
            self.whole = True
            handler.close_connection = True  # and nobody hears of it
            return True
        return self._take(handler, place)

    def _take(self, handler: RegistryHandler, place: dict[str, str]) -> bool:
        first = re.match(r"(\d+)-", handler.headers["Content-Range"])
        assert first is not None
        self.ranges.append(int(first[1]))
        length = int(handler.headers["Content-Length"])
        self.held += handler.rfile.read(length if self.held else KEPT)
        if len(self.held) < len(LAYER):
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return True
        return handler.send(202, b"", place)


def test_a_part_that_breaks_off_goes_on_where_the_registry_has_it(cli: Cli, store: Path, lying: Lying) -> None:
    uploads = Uploads()
    lying.hook = uploads.answer
    put_model(store, f"{lying.host}/library/tiny", LAYER)
    done = cli("push", "--direct", "--insecure", f"{lying.host}/library/tiny")
    assert done.returncode == 0, done.stderr
    assert uploads.ranges == [0, KEPT]
    assert bytes(uploads.held) == LAYER


@pytest.fixture
def answering() -> Callable[[bytes], tuple[str, list[bytes]]]:
    """Starts servers that read a head, say something, and note what comes then."""

    def start(said: bytes) -> tuple[str, list[bytes]]:
        bodies: list[bytes] = []
        listening = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with listening, listening.accept()[0] as connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65536)
                connection.sendall(said)
                body = head.partition(b"\r\n\r\n")[2]
                with suppress(ConnectionError):
                    while len(body) < len(LAYER) and (piece := connection.recv(1 << 20)):
                        body += piece
                bodies.append(body)
                if said.startswith(b"HTTP/1.1 100") or not said:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}", bodies

    return start


@pytest.mark.parametrize(
    ("said", "status", "taken"),
    [
        (b"HTTP/1.1 307 Elsewhere\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 307, 0),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 200, len(LAYER)),
        (b"", 200, len(LAYER)),  # a server that knows nothing of it
    ],
)
def test_a_body_is_sent_only_where_it_is_wanted(
    answering: Callable[[bytes], tuple[str, list[bytes]]], said: bytes, status: int, taken: int
) -> None:
    url, bodies = answering(said)
    with open_client(url, None, user_agent="test", backend=PatientBackend()) as client:
        headers = {"Expect": "100-continue", "Content-Length": str(len(LAYER))}
        assert client.patch("/", headers=headers, content=iter([LAYER])).status_code == status
    while not bodies:
        threading.Event().wait(0.01)
    assert len(bodies[0]) == taken


def test_a_body_ends_where_an_answer_comes_within_it() -> None:
    taken = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with listening.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 307 Elsewhere\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")
                taken.wait(30)  # and reads no further

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with open_client(url, None, user_agent="test", backend=PatientBackend()) as client:
            headers = {"Expect": "100-continue", "Content-Length": str(50 * len(LAYER))}
            answer = client.patch("/", headers=headers, content=iter([LAYER] * 50))
        taken.set()
        thread.join()
    assert answer.status_code == 307


def test_a_connection_that_is_made_after_the_end_is_closed() -> None:
    """As by a thread that was just connecting when another one failed: its client is closed, and would not do it."""
    backend = PatientBackend()
    backend.end_all()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with pytest.raises(httpcore.ConnectError):
            backend.connect_tcp("127.0.0.1", listening.getsockname()[1])
        with listening.accept()[0] as connection:
            assert connection.recv(1) == b""


@pytest.mark.parametrize("wanted", [True, False])
def test_over_tls_its_own_messages_are_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, wanted: bool
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    taken: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")  # by now the tickets of TLS 1.3 are on their way
        if wanted:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            taken.append(len(await reader.readexactly(len(LAYER))))
        writer.write(f"HTTP/1.1 {200 if wanted else 401} X\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    with asyncio_server(handle, tls_for("127.0.0.1", authority=authority)) as port:
        url = f"https://127.0.0.1:{port}"
        with open_client(url, None, user_agent="test", backend=PatientBackend()) as client:
            headers = {"Expect": "100-continue", "Content-Length": str(len(LAYER))}
            answer = client.patch("/", headers=headers, content=iter([LAYER]))
    assert (answer.status_code, taken) == ((200, [len(LAYER)]) if wanted else (401, []))


def test_without_a_server_the_direct_way_is_taken_and_told(cli: Cli, lying: Lying) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", 11434), timeout=1):
        pytest.skip("an Ollama server runs on this machine")
    lying.offer(b"a layer")
    name = f"{lying.host}/library/tiny"
    pulled = cli("pull", "--insecure", name)
    assert pulled.returncode == 0, pulled.stderr
    assert pulled.stderr.startswith(
        "Note: No Ollama server answers at http://127.0.0.1:11434.\nNote: without an Ollama"
    )
    lying.hook = lambda handler: handler.send(200 if handler.command == "HEAD" else 201)
    pushed = cli("push", "--insecure", name)
    assert (pushed.returncode, "Note: without an Ollama server" in pushed.stderr) == (0, True)
    assert f"{name} is pushed to {lying.host}." in pushed.stderr


def test_a_named_server_is_not_replaced_but_by_choice(cli: Cli, lying: Lying) -> None:
    lying.offer(b"a layer")
    name = f"{lying.host}/library/tiny"

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return cli("pull", "--insecure", *args, name, env={"OLLAMA_HOST": "http://127.0.0.1:9"})

    assert run().returncode == 7
    assert run("--transfers", "2").returncode == 2
    assert run("--direct", "--transfers", "0").returncode == 2
    assert not lying.requests
    assert run("--direct", "--transfers", "2").returncode == 0

"""A server whose every byte a test decides, and the bytes of its answers."""

from __future__ import annotations

import json
import socket
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from in_thread import in_thread

from ollama_cli.signing.message import message
from ollama_cli.signing.verification import public_key_of

SECONDS = 30
DONE = b'{"model":"gpt-oss:120b","response":"","done":true,"done_reason":"stop"}\n'


@dataclass(frozen=True)
class Seen:
    """A request as a server got it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The value of a header, or None; one that came twice is an error."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, (name, values)
        return values[0] if values else None

    @property
    def signer(self) -> str | None:
        """The public key line that signed the request, or None."""
        return public_key_of(self.header("authorization") or "", message(self.method, self.target))


Script = Callable[[Seen, socket.socket], None]


def plain(body: bytes, status: str = "200 OK", *headers: str, kind: str = "application/json; charset=utf-8") -> bytes:
    """A whole answer with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def head(kind: str = "application/x-ndjson") -> bytes:
    """The beginning of an answer in chunks."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


def chunk(data: bytes) -> bytes:
    """A piece of it; an empty one is its end."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def saying(answer: bytes) -> Script:
    """A server that answers this, whatever is asked."""
    return lambda _, connection: connection.sendall(answer)


class _Listening(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def handle_error(self, *_: object) -> None:
        """A client may leave."""


@dataclass
class ScriptedServer:
    """A server that a test has under its hand; each connection carries one request."""

    url: str
    script: Script
    seen: list[Seen] = field(default_factory=list)

    def answers(self, answer: bytes) -> None:
        """From now on answer this, having seen nothing yet."""
        self.seen.clear()
        self.script = saying(answer)

    @property
    def one(self) -> Seen:
        """The one request that it got."""
        (seen,) = self.seen
        return seen


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Run such a server."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.connection.settimeout(SECONDS)
            method, target, _ = self.rfile.readline().decode().split()
            headers = []
            while line := self.rfile.readline().strip().decode("latin-1"):
                name, _, value = line.partition(":")
                headers.append((name.lower(), value.strip()))
            seen = Seen(method, target, headers, _body(self.rfile, dict(headers)))
            server.seen.append(seen)
            with suppress(OSError):
                server.script(seen, self.connection)

    with _Listening(("127.0.0.1", 0), Handler) as listening:
        server = ScriptedServer(f"http://127.0.0.1:{listening.server_address[1]}", saying(plain(b"{}")))
        with in_thread(listening):
            yield server


def _body(file: Any, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        parts = []
        while size := int(file.readline(), 16):
            parts.append(file.read(size))
            file.readline()
        file.readline()
        return b"".join(parts)
    length = int(headers.get("content-length", 0))
    content: bytes = file.read(length)
    return content


def everything(connection: socket.socket) -> bytes:
    """What is still said on a connection, up to its end."""
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)

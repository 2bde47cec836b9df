"""A server whose answer a test sends piece by piece, and that sees when its client leaves."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

SECONDS = 30


@dataclass
class StreamingServer:
    """Listens on loopback; every request is answered by hand."""

    listening: socket.socket

    @property
    def environment(self) -> dict[str, str]:
        """What makes it the cloud of a command."""
        port = self.listening.getsockname()[1]
        return {"OLLAMA_CLOUD_BASE_URL": f"http://127.0.0.1:{port}", "OLLAMA_API_KEY": "key"}

    @contextmanager
    def request(self) -> Iterator[Exchange]:
        """Wait for the next request, and read it."""
        connection, _ = self.listening.accept()
        with connection:
            connection.settimeout(SECONDS)
            head, _, body = _until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
            )
            while len(body) < length:
                body += connection.recv(65536)
            yield Exchange(connection, json.loads(body))


@dataclass
class Exchange:
    """A request that was read, and its answer."""

    connection: socket.socket
    body: dict[str, Any]

    def start(self) -> None:
        """Send the head of the answer."""
        self.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")

    def say(self, response: str = "", **fields: Any) -> None:
        """Send a piece."""
        self.connection.sendall(json.dumps({"response": response, "done": False, **fields}).encode() + b"\n")

    def finish(self) -> None:
        """Send the last piece."""
        self.say(done=True, done_reason="stop")
        self.connection.shutdown(socket.SHUT_WR)

    def client_left(self) -> bool:
        """Wait until the client closes the connection."""
        with suppress(ConnectionResetError):
            while self.connection.recv(65536):
                pass
        return True


def _until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        part = connection.recv(65536)
        assert part, "the client left within its request"
        received += part
    return received


@contextmanager
def streaming_server() -> Iterator[StreamingServer]:
    """Run such a server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(SECONDS)
        yield StreamingServer(listening)

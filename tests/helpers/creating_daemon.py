"""A daemon that takes files by their digests and makes models, as far as ``create`` can tell."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from in_thread import in_thread

SECONDS = 30
PIECE = 1 << 20


def _going_on() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class CreatingDaemon:
    """What it has and was asked, and how it is to answer.

    Attributes:
        url: Where it is.
        blobs: The files that it has: digests and sizes.
        uploads: The digests of the files that it was sent, in order.
        created: The bodies of the requests to make a model.
        paths: Every request.
        answer: The events with which it makes a model.
        drops: How many times it breaks off within a file.
        refusal: What it answers to a file before it has read it.
        receiving: Set once a part of a file has come.
        go_on: While it is not set, no more of a file is read.
        left: Set when a client leaves within a file.
    """

    url: str = ""
    blobs: dict[str, int] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answer: list[dict[str, Any]] = field(
        default_factory=lambda: [{"status": "writing manifest"}, {"status": "success"}]
    )
    drops: int = 0
    refusal: tuple[int, dict[str, Any]] | None = None
    receiving: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=_going_on)
    left: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """The version."""
        self._send(200, {"version": "0.1"})

    def do_HEAD(self) -> None:
        """Whether a file is there."""
        self._send(200 if self.path.removeprefix("/api/blobs/") in self.server.state.blobs else 404, None)

    def do_POST(self) -> None:
        """A file, or the request to make a model."""
        length = int(self.headers["Content-Length"])
        if self.path != "/api/create":
            self._take(self.path.removeprefix("/api/blobs/"), length)
            return
        self.server.state.created.append(json.loads(self.rfile.read(length)))
        self._send(200, None, "".join(f"{json.dumps(event)}\n" for event in self.server.state.answer).encode())

    def _take(self, digest: str, length: int) -> None:
        state = self.server.state
        if state.refusal is not None:
            self.close_connection = True
            self._send(*state.refusal)
            return
        got = self._hash_of(length)
        if got is None:
            self.close_connection = True
            return
        state.uploads.append(digest)
        if got != digest:
            self._send(400, {"error": f'digest mismatch, expected "{digest}", got "{got}"'})
            return
        state.blobs[digest] = length
        self._send(201, None)

    def _hash_of(self, left: int) -> str | None:
        state, hashed = self.server.state, hashlib.sha256()
        while left:
            piece = self.rfile.read1(min(left, PIECE))
            if not piece:
                state.left.set()
                return None
            hashed.update(piece)
            left -= len(piece)
            state.receiving.set()
            assert state.go_on.wait(SECONDS)
            if state.drops:
                state.drops -= 1
                return None
        return f"sha256:{hashed.hexdigest()}"

    def _send(self, status: int, content: Any, body: bytes = b"") -> None:
        self.server.state.paths.append(f"{self.command} {self.path}")
        body = json.dumps(content).encode() if content is not None else body
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: CreatingDaemon) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no error."""


@contextmanager
def creating_daemon(state: CreatingDaemon) -> Iterator[CreatingDaemon]:
    """Run such a daemon."""
    server = _Server(state)
    state.url = f"http://127.0.0.1:{server.server_port}"
    with in_thread(server):
        yield state

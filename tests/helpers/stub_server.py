"""A server on loopback that answers as a test wants, and keeps every request that it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from in_thread import in_thread


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def public_key(self) -> str | None:
        """The public key line that a signed request names, or None."""
        first, colon, _ = self.headers.get("authorization", "").partition(":")
        return f"ssh-ed25519 {first}" if colon else None


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class StubServer:
    """A server, and what it got."""

    url: str
    received: list[Received] = field(default_factory=list)


@contextmanager
def stub_server(answer: Callable[[Received], Answer]) -> Iterator[StubServer]:
    """Serve until the block ends."""
    received: list[Received] = []
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(answer, received))
    with in_thread(listening):
        yield StubServer(f"http://127.0.0.1:{listening.server_address[1]}", received)


def handler_for(answer: Callable[[Received], Answer], received: list[Received]) -> type[BaseHTTPRequestHandler]:
    """A handler that notes requests and gives answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Received(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
            received.append(request)
            status, headers, body = answer(request)
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_DELETE = do_POST  # noqa: N815 - names that the library looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the library
            pass

    return Handler

"""Every https server of the world on loopback: a proxy that answers in their names, with certificates of a test's own.

So a test sees what the command would send to ollama.com, or to a host that only looks like it, over verified TLS.
"""

from __future__ import annotations

import socketserver
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from in_thread import in_thread
from stub_server import Answer, Received, handler_for

LONGEST_HEAD = 64 * 1024


@dataclass
class Interception:
    """A proxy, and what was sent to each server through it.

    Attributes:
        environment: Has a command use the proxy, and trust its certificates.
        received: Each request, with the ``host:port`` that it was for.
    """

    environment: dict[str, str]
    received: list[tuple[str, Received]] = field(default_factory=list)


@contextmanager
def intercepting(
    folder: Path, names: Sequence[str], answer: Callable[[str, Received], Answer]
) -> Iterator[Interception]:
    """Answer for servers until the block ends.

    Args:
        folder: Where the certificate that a command is to trust is put.
        names: The host names that there are certificates for.
        answer: Answers a request to ``host:port``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = trustme.CA()
    authority.issue_cert(*names).configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    seen: list[tuple[str, Received]] = []

    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                assert len(head) < LONGEST_HEAD
                byte = self.request.recv(1)
                if not byte:  # the client left
                    return
                head += byte
            method, target, _ = head.decode().split(" ", 2)
            assert method == "CONNECT", head
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

            def note_and_answer(request: Received) -> Answer:
                seen.append((target, request))
                return answer(target, request)

            with (
                suppress(OSError),  # a client that does not trust the certificate leaves
                context.wrap_socket(self.request, server_side=True) as encrypted,
            ):
                handler_for(note_and_answer, [])(encrypted, self.client_address, self.server)

    listening = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy)
    environment = {
        "HTTPS_PROXY": f"http://127.0.0.1:{listening.server_address[1]}",
        "SSL_CERT_FILE": str(folder / "ca.pem"),
    }
    with in_thread(listening):
        yield Interception(environment, seen)

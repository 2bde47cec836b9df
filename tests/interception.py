"""Every https server of the world on loopback: a proxy that answers in their names, with certificates of a test's own.

So a test sees what the command would send to ollama.com, or to a host that only looks like it, over verified TLS.
"""

from __future__ import annotations

import datetime as dt
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from recording import Answer, Received, handler_for

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
        folder: Where the certificates are put.
        names: The host names that there are certificates for.
        answer: Answers a request to ``host:port``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificates(folder, names))
    seen: list[tuple[str, Received]] = []

    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                assert len(head) < LONGEST_HEAD
                head += self.request.recv(1)
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

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        environment = {
            "HTTPS_PROXY": f"http://127.0.0.1:{listening.server_address[1]}",
            "SSL_CERT_FILE": str(folder / "ca.pem"),
        }
        try:
            yield Interception(environment, seen)
        finally:
            listening.shutdown()
            thread.join()


def _certificates(folder: Path, names: Sequence[str]) -> Path:
    """Write an authority's certificate, and one for all names that it has signed, with its key."""
    now = dt.datetime.now(dt.UTC)
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of a test")])
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def builder(subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority_name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )

    authority = (
        builder(authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    leaf = (
        builder(x509.Name([]), key.public_key())
        .add_extension(alternatives, critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    path = folder / "servers.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + leaf.public_bytes(pem)
    )
    return path

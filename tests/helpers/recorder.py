"""Servers that see what a command sends and with which credential, and have a sandbox answer it.

``Recorder`` is a plain HTTP server. ``OllamaCom`` is a proxy that is ollama.com for who trusts its certificate: with
``HTTPS_PROXY`` and ``SSL_CERT_FILE`` in its environment a program talks to exactly ``https://ollama.com``, over TLS,
and gets the sandbox's answer.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from in_thread import running

from ollama_cli import DeviceKey
from ollama_cli.credentials.public_key import fingerprint_of
from ollama_cli.signing.message import message
from ollama_cli.signing.verification import public_key_of

_NOT_PASSED_ON = frozenset({"connection", "content-length", "host", "transfer-encoding"})


@dataclass(frozen=True)
class Seen:
    """A request as a server saw it.

    Attributes:
        origin: The server that it was meant for.
        method: The HTTP method.
        path: Without the query.
        query: What stands after ``?``.
        authorization: The header, or None.
    """

    origin: str
    method: str
    path: str
    query: str
    authorization: str | None

    @property
    def credential(self) -> str:
        """``none``, ``Bearer KEY``, or the fingerprint of the device key whose signature it is."""
        if self.authorization is None:
            return "none"
        if self.authorization.startswith("Bearer "):
            return self.authorization
        signer = public_key_of(self.authorization, message(self.method, f"{self.path}?{self.query}"))
        return fingerprint_of(signer) if signer else "a signature of something else"


class Recorder(ThreadingHTTPServer):
    """An HTTP server that notes each request and has a sandbox answer it.

    Args:
        upstream: The sandbox.
        signs_as: A device of the sandbox's in whose name requests are passed on, as a daemon does; None passes the
            caller's own credential on.
        base_path: Below which path it stands.
        origin: What it is noted as; None is its address.
    """

    daemon_threads = True

    def __init__(
        self, upstream: str, *, signs_as: DeviceKey | None = None, base_path: str = "", origin: str | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.signs_as = signs_as
        self.base_path = base_path
        self.origin = origin or self.url
        self.seen: list[Seen] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def running(self) -> AbstractContextManager[None]:
        """Serve for as long as the block runs."""
        return running(self)


class OllamaCom(Recorder):
    """A proxy that answers for ``https://ollama.com`` with a certificate of its own making, and for nothing else.

    Args:
        upstream: The sandbox.
        folder: Where its certificate is written.
    """

    def __init__(self, upstream: str, folder: Path) -> None:
        super().__init__(upstream)
        self.certificate = folder / "certificate.pem"
        self.certificate.write_bytes(_self_signed("ollama.com"))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.certificate)

    @property
    def environment(self) -> Mapping[str, str]:
        """What has a program take it for ollama.com."""
        return {"HTTPS_PROXY": self.url, "SSL_CERT_FILE": str(self.certificate)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: the second would wait for the client to confirm the first
    server: Recorder
    tunnel: str | None = None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # the server knows the one below TLS only

    def do_CONNECT(self) -> None:
        if not isinstance(self.server, OllamaCom) or self.path != "ollama.com:443":
            self.server.seen.append(Seen(self.path, "CONNECT", "", "", self.headers["Proxy-Authorization"]))
            self.send_error(502)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.tunnel, self.close_connection = "https://ollama.com", False

    def answer(self) -> None:
        """Note the request, and pass it on."""
        target = urlsplit(self.path)
        origin = self.tunnel or (f"http://{target.netloc}" if target.netloc else self.server.origin)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        path = target.path.removeprefix(self.server.base_path)
        self.server.seen.append(Seen(origin, self.command, path, target.query, self.headers["Authorization"]))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        sent = f"{path}?{target.query}" if target.query else path
        if self.server.signs_as is not None:
            headers.pop("Authorization", None)
            sent, headers["Authorization"] = _signed(self.server.signs_as, self.command, path)
        with closing(http.client.HTTPConnection(urlsplit(self.server.upstream).netloc, timeout=30)) as connection:
            connection.request(self.command, sent, body, headers)
            response = connection.getresponse()
            content = response.read()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in {*_NOT_PASSED_ON, "server", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815 - the base class looks for these names


def _signed(key: DeviceKey, method: str, path: str) -> tuple[str, str]:
    target = f"{path}?ts={int(datetime.now(UTC).timestamp())}"
    return target, key.sign(message(method, target))


def _self_signed(name: str) -> bytes:
    """A certificate and its key in PEM, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)

"""``https://ollama.com`` without the internet: a proxy that leads there, and a TLS server in its place.

The command is given the proxy (``HTTPS_PROXY``) and the authority of the server's certificate (``SSL_CERT_FILE``), and
nothing else: it talks TLS to a server that proves to be ollama.com. Behind that stands a sandbox.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import trustme
from asyncio_server import ConnectionHandler, answering_bytes, asyncio_server, join, passing_on_to


@dataclass
class Proxy:
    """What a proxy is asked, and how it answers.

    Attributes:
        leads_to: The port that every name leads to.
        password: ``USER:PASSWORD``, where it wants one.
        refusal: A status line instead of a connection.
        heads: What it was sent.
    """

    leads_to: int
    password: str = ""
    refusal: str = ""
    plain: ConnectionHandler | None = None
    heads: list[str] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode())
        wanted = f"Basic {base64.b64encode(self.password.encode()).decode()}"
        if self.password and wanted not in head.decode():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif self.refusal:
            writer.write(f"HTTP/1.1 {self.refusal}\r\nContent-Length: 0\r\n\r\n".encode())
        elif head.startswith(b"CONNECT "):
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await join(reader, writer, "127.0.0.1", self.leads_to)
        else:
            again = asyncio.StreamReader()
            again.feed_data(head)
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            again.feed_data(await reader.readexactly(int(length[1]) if length else 0))
            assert self.plain is not None
            await self.plain(again, writer)

    async def handle_socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection as a SOCKS5 proxy."""
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        length = (await reader.readexactly(1))[0] if kind == 3 else 4
        name = await reader.readexactly(length)
        await reader.readexactly(2)
        self.heads.append(f"SOCKS {name.decode() if kind == 3 else name.hex()}")
        writer.write(b"\x05" + (b"\x02" if self.refusal else b"\x00") + b"\x00\x01\x7f\x00\x00\x01\x00\x00")
        if not self.refusal:
            await join(reader, writer, "127.0.0.1", self.leads_to)


@dataclass
class OllamaCom:
    """The stand-in, and how the command gets there.

    Attributes:
        environment: What leads the command there.
        proxy: The proxy on the way.
        authority: The file of the authority that its certificate is from.
    """

    environment: dict[str, str]
    proxy: Proxy
    authority: Path

    @property
    def asked_for(self) -> set[str]:
        """The servers that the proxy was asked for, as ``HOST:PORT``."""
        return {head.split(" ", 2)[1] for head in self.proxy.heads}


def tls_for(*names: str, authority: trustme.CA, **validity: object) -> ssl.SSLContext:
    """What a server shows to be one of these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **validity).configure_cert(context)  # type: ignore[arg-type]  # dates
    return context


@contextmanager
def badly_certified(folder: Path, kind: str) -> Iterator[dict[str, str]]:
    """A server with a certificate that is not what it has to be, and how the command is led to it.

    Args:
        folder: Where the authority's certificate is written.
        kind: ``expired``, ``early``, ``other`` (for another name) or ``untrusted``.
    """
    authority, now = trustme.CA(), dt.datetime.now(dt.UTC)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    validity: dict[str, dt.datetime] = {}
    if kind == "expired":
        validity = {"not_before": now - dt.timedelta(2), "not_after": now - dt.timedelta(1)}
    elif kind == "early":
        validity = {"not_before": now + dt.timedelta(1)}
    name = "portal.example" if kind == "other" else "localhost"
    with asyncio_server(answering_bytes(b""), tls_for(name, authority=authority, **validity)) as port:
        trust = {} if kind == "untrusted" else {"SSL_CERT_FILE": str(folder / "authority.pem")}
        yield {"OLLAMA_CLOUD_BASE_URL": f"https://localhost:{port}", **trust}


@contextmanager
def ollama_com(
    sandbox_url: str, folder: Path, *, kind: Literal["http", "https", "socks5"] = "http"
) -> Iterator[OllamaCom]:
    """Have a sandbox be ollama.com for who goes through the proxy.

    Args:
        sandbox_url: The sandbox.
        folder: Where the authority's certificate is written.
        kind: What the proxy speaks.
    """
    authority = trustme.CA()
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    with asyncio_server(passing_on_to(sandbox_url), tls_for("ollama.com", authority=authority)) as port:
        proxy = Proxy(port, plain=passing_on_to(sandbox_url))
        tls = tls_for("127.0.0.1", authority=authority) if kind == "https" else None
        with asyncio_server(proxy.handle_socks if kind == "socks5" else proxy.handle, tls) as proxy_port:
            named = {"HTTPS_PROXY": f"{kind}://127.0.0.1:{proxy_port}", "SSL_CERT_FILE": str(file)}
            yield OllamaCom(named, proxy, file)

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
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import trustme

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on this machine, in a thread; gives its port."""
    loop = asyncio.new_event_loop()
    transports: set[asyncio.WriteTransport] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transports.add(writer.transport)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_end(server, transports), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server, transports: set[asyncio.WriteTransport]) -> None:
    """End everything, also a connection that is accepted, or shakes hands, while this runs."""
    server.close()
    await asyncio.sleep(0)  # what was accepted just now has to begin, or nobody closes it
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # a handshake that has just succeeded makes a task only now
    for transport in transports:
        with suppress(AttributeError):  # Python 3.11.2 has nothing to abort of a TLS connection that has just ended
            transport.abort()
    await asyncio.sleep(0)


def answering(answer: bytes) -> Handler:
    """A server that reads a request and answers these bytes, whatever they are, and closes the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(answer)
        await writer.drain()

    return handle


def speaking(words: bytes) -> Handler:
    """A server that says something to who connects, and closes the connection."""

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()

    return handle


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, first: bytes = b""
) -> None:
    """Connect a client with a server, until the server has said all."""
    upstream_reader, upstream_writer = await asyncio.open_connection(host, port)
    upstream_writer.write(first)
    to_server = asyncio.create_task(_relay(reader, upstream_writer))
    try:
        await _relay(upstream_reader, writer)
    finally:
        to_server.cancel()
        upstream_writer.transport.abort()  # nothing waits for what is unsent, nor for a loop that ends just now


def before(sandbox_url: str) -> Handler:
    """A server that passes each request on to a sandbox, under the sandbox's own name."""
    host, port = urlsplit(sandbox_url).hostname or "", urlsplit(sandbox_url).port or 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        head = re.sub(rb"^(\w+) http://[^/ ]+", rb"\1 ", head)  # as a proxy is asked
        head = re.sub(rb"(?i)\r\n(?:host|connection|proxy-[\w-]+):[^\r]*", b"", head)
        named = f"\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
        await _join(reader, writer, host, port, head.removesuffix(b"\r\n\r\n") + named)

    return handle


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
    plain: Handler | None = None
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
            await _join(reader, writer, "127.0.0.1", self.leads_to)
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
            await _join(reader, writer, "127.0.0.1", self.leads_to)


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
    with listening(answering(b""), tls_for(name, authority=authority, **validity)) as port:
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
    with listening(before(sandbox_url), tls_for("ollama.com", authority=authority)) as port:
        proxy = Proxy(port, plain=before(sandbox_url))
        tls = tls_for("127.0.0.1", authority=authority) if kind == "https" else None
        with listening(proxy.handle_socks if kind == "socks5" else proxy.handle, tls) as proxy_port:
            named = {"HTTPS_PROXY": f"{kind}://127.0.0.1:{proxy_port}", "SSL_CERT_FILE": str(file)}
            yield OllamaCom(named, proxy, file)

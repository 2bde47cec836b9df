"""Servers of asyncio in a thread, with TLS or without: one function serves each connection, byte by byte."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

ConnectionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def asyncio_server(
    handler: ConnectionHandler, tls: ssl.SSLContext | None = None, *, at: socket.socket | None = None
) -> Iterator[int]:
    """A server on this machine, in a thread; gives its port.

    Args:
        handler: Serves a connection.
        tls: What it shows to be who it is; None is plain TCP.
        at: Where it listens; None is any free port. It is closed with the server.
    """
    listening = at or socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    transports: set[asyncio.WriteTransport] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transports.add(writer.transport)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(handle, sock=listening, ssl=tls))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield listening.getsockname()[1]
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


def answering_bytes(answer: bytes) -> ConnectionHandler:
    """A server that reads a request and answers these bytes, whatever they are, and closes the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(answer)
        await writer.drain()

    return handle


def saying_bytes(words: bytes) -> ConnectionHandler:
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


async def join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, first: bytes = b""
) -> None:
    """Connect a client with a server, until the server has said all, or the client leaves."""
    upstream_reader, upstream_writer = await asyncio.open_connection(host, port)
    upstream_writer.write(first)
    ways = [asyncio.create_task(_relay(*way)) for way in ((reader, upstream_writer), (upstream_reader, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        upstream_writer.transport.abort()  # nothing waits for what is unsent, nor for a loop that ends just now


def passing_on_to(sandbox_url: str) -> ConnectionHandler:
    """A server that passes each request on to a sandbox, under the sandbox's own name."""
    host, port = urlsplit(sandbox_url).hostname or "", urlsplit(sandbox_url).port or 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        head = re.sub(rb"^(\w+) http://[^/ ]+", rb"\1 ", head)  # as a proxy is asked
        head = re.sub(rb"(?i)\r\n(?:host|connection|proxy-[\w-]+):[^\r]*", b"", head)
        named = f"\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
        await join(reader, writer, host, port, head.removesuffix(b"\r\n\r\n") + named)

    return handle

"""Connections of httpcore on asyncio's own streams.

httpcore's usual backend, anyio, makes a scope and a switch of tasks for every read; of a stream in small pieces that is
a good part of what passing it on costs.
"""

from __future__ import annotations

import asyncio
import select
import ssl
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpcore

_SECONDS_BEFORE_THE_NEXT_ADDRESS = 0.25


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Connects to servers."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - there are none
    ) -> httpcore.AsyncNetworkStream:
        """Connect.

        Raises:
            ConnectTimeout: The name, or a connection, took longer than the time-out.
            ConnectError: There is no such name, or no address of it takes a connection.
        """
        local = None if local_address is None else (local_address, 0)
        async with _explained(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
            reader, writer = await asyncio.open_connection(
                host, port, local_addr=local, happy_eyeballs_delay=_SECONDS_BEFORE_THE_NEXT_ADDRESS
            )
        return _Stream(reader, writer)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:  # as in _explained, but this is what every piece of every answer comes through
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        async with _explained(timeout, httpcore.WriteTimeout, httpcore.WriteError):
            self._writer.write(buffer)
            await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.transport.abort()  # nothing that is still unsent is of use to anybody

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with _explained(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            self._writer.transport.abort()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - so httpcore has it
        if info == "is_readable":
            return self._is_over
        if info in {"client_addr", "server_addr"}:
            return self._writer.get_extra_info("sockname" if info == "client_addr" else "peername")
        return self._writer.get_extra_info(info)

    @property
    def _is_over(self) -> bool:
        """Whether a connection that is not in use was closed by the server, or has something that nobody asked for."""
        if self._reader.at_eof() or self._writer.is_closing():
            return True
        descriptor: int = self._writer.get_extra_info("socket").fileno()
        return descriptor < 0 or _is_readable(descriptor)


def _is_readable(descriptor: int) -> bool:
    if sys.platform == "win32":
        return bool(select.select([descriptor], [], [], 0)[0])
    polling = select.poll()  # which takes any number of a descriptor
    polling.register(descriptor, select.POLLIN)
    return bool(polling.poll(0))


@asynccontextmanager
async def _explained(seconds: float | None, too_late: type[Exception], broken: type[Exception]) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise too_late(str(error)) from error
    except (OSError, UnicodeError) as error:  # the second is for a name that cannot be one
        raise broken(str(error)) from error

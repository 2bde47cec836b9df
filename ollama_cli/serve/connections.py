"""Connections of clients: uvicorn's protocol, with limits to what a client may do by doing nothing."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ollama_cli.serve.client import HANG_UP

MOST_CONNECTIONS = 512
"""Connections at one time; further ones are told to come back."""

LARGEST_QUEUE = 64 * 1024
"""Bytes of further requests that may wait for the answer to the first."""

SECONDS_FOR_A_HEAD = 20.0
"""From the first byte of a request, or from the connection, to the end of its headers."""

SECONDS_TO_STAY = 75
"""How long a connection stays open without a request: longer than clients keep one that they may use again."""

SECONDS_TO_READ = 300.0
"""How long a client may take nothing of an answer while more of it waits."""

SECONDS_TO_TAKE_LEAVE = 10.0
"""How long what is left of an answer may take to be sent on a connection that is being closed."""

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nRetry-After: 1\r\n"
    b"Content-Length: 32\r\nConnection: close\r\n\r\n"
    b'{"error":"too many connections"}'
)


class Connection(H11Protocol):
    """A client's connection."""

    _head_timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(_FULL)
            self._close()
            return
        connection: socket.socket = transport.get_extra_info("socket")
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # notices a machine that is gone
        app: Any = self.app

        async def with_hang_up(scope: Scope, receive: Receive, send: Send) -> None:
            scope[HANG_UP] = self._close
            await app(scope, receive, send)

        self.app = with_hang_up
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        for timer in (self._head_timer, self._read_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and see whether a request's head is still awaited."""
        if self.transport.is_closing():
            return
        try:
            super().data_received(data)
        except h11.LocalProtocolError:  # it would tell of what cannot be read, where an answer is on its way already
            self._close()
            return
        cycle: Any = self.cycle  # None before the first request
        if cycle is None or cycle.response_complete:
            self._expect_head()
        elif self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if cycle is not None and not cycle.response_complete and self.conn.their_state is h11.DONE:
            self._bear_what_comes_early()

    def on_response_complete(self) -> None:
        """Wait for the next request; there is no hurry before its first byte."""
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        super().pause_writing()
        self._read_timer = self.loop.call_later(SECONDS_TO_READ, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
        super().resume_writing()

    def _bear_what_comes_early(self) -> None:
        """Go on reading while an answer is on its way, or it would not be seen that the client has left.

        Requests that come before their turn wait; too many of them are no client's.
        """
        if len(self.conn.trailing_data[0]) > LARGEST_QUEUE:
            self._close()
        else:
            self.flow.resume_reading()

    def _expect_head(self) -> None:
        if self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(SECONDS_FOR_A_HEAD, self._close)

    def _close(self) -> None:
        """Close the connection once what was written is sent, or after a while."""
        if not self.transport.is_closing():
            self.transport.close()
            if self._read_timer is None:
                self._read_timer = self.loop.call_later(SECONDS_TO_TAKE_LEAVE, self.transport.abort)


def connection_maker(config: Config, state: ServerState) -> Connection:
    """A protocol for one connection, for the event loop."""
    return Connection(config, state, {})

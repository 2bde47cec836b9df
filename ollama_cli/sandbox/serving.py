"""uvicorn, held to what a stand-in needs: one socket that is bound already, no signals, no logs, a quick end."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ollama_cli.errors import UsageError
from ollama_cli.sandbox.failing import HANG_UP, RESET
from ollama_cli.transport.loop_faults import is_fault

LOOPBACK = "127.0.0.1"
_SILENT = logging.CRITICAL + 1
_SECONDS_TO_END = 2.0
_TURNS_TO_END = 4
"""Turns of the loop until a connection that was accepted just before the end is made, aborted, and closed."""
_SECONDS_TO_STAY = 75  # longer than clients keep a connection that they may use again


class _Protocol(H11Protocol):
    """A connection that an app can close in the middle of an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app: Any = self.app

        def reset() -> None:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
            )
            transport.abort()

        async def with_hang_up(scope: Scope, receive: Receive, send: Send) -> None:
            scope[HANG_UP], scope[RESET] = transport.close, reset
            await app(scope, receive, send)

        self.app = with_hang_up


def bind(port: int) -> socket.socket:
    """A socket on this machine, listening; a client that comes early waits in its queue.

    Args:
        port: The port, or 0 for any that is free.

    Raises:
        UsageError: The port cannot be had.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or "it is no port"
        raise UsageError(
            f"The sandbox cannot listen at port {port}: {reason}.",
            hint="Name another with --port, such as --port 0 for any that is free.",
            code="port_unavailable",
        ) from error
    return listener


async def run(app: ASGIApp, listener: socket.socket, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Serve an app until it is told to stop; open streams do not hold up the end.

    Args:
        app: The app.
        listener: The socket; it is closed at the end.
        stop: Set when it is to end.
        on_ready: Called once requests are answered.
    """
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=_SILENT,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_SECONDS_TO_STAY,
    )
    config.load()
    asyncio.get_running_loop().set_exception_handler(_tell_of_fault)
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        on_ready()
        await stop.wait()
    finally:
        for listening in server.servers:
            listening.close()
        await _end(server)
        listener.close()


def _tell_of_fault(loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
    """What asyncio does with a fault, where it is one."""
    if is_fault(told):
        loop.default_exception_handler(told)


async def _end(server: uvicorn.Server) -> None:
    """Close every connection and wait for what was answered on it to notice."""
    tasks = list(server.server_state.tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_SECONDS_TO_END)
    for _ in range(_TURNS_TO_END):
        for connection in list(server.server_state.connections):
            transport: asyncio.Transport | None = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)

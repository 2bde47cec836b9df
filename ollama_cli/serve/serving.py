"""Serving an app at a socket, and an end that takes no longer than it has to."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from ollama_cli.serve.connections import SECONDS_TO_STAY, connection_maker
from ollama_cli.serve.guard import LARGEST_HEAD, LARGEST_TARGET

SECONDS_FOR_ANSWERS = 2.0
"""How long answers may go on after the server was told to stop."""

_SECONDS_TO_TELL = 1.0
_SECONDS_BETWEEN_LOOKS = 0.02
_SILENT = logging.CRITICAL + 1


async def serve_until(
    stop: asyncio.Event,
    app: ASGIApp,
    listener: socket.socket,
    stopping: asyncio.Future[None],
    on_ready: Callable[[], None],
) -> None:
    """Serve an app until told to stop; what is being answered then may go on for a little, and is then told.

    Args:
        stop: Set when it is to end; set once more, at once.
        app: The app.
        listener: The socket; it is closed at the end.
        stopping: Done by this when what is still being answered has to be told.
        on_ready: Called once requests are answered.
    """
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=_SILENT,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=SECONDS_TO_STAY,
        h11_max_incomplete_event_size=LARGEST_HEAD + LARGEST_TARGET,
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    make = partial(connection_maker, config, state)
    if listener.family == getattr(socket, "AF_UNIX", None):
        server = await loop.create_unix_server(make, sock=listener)
    else:
        server = await loop.create_server(make, sock=listener)
    try:
        on_ready()
        await stop.wait()
        stop.clear()
        server.close()
        _close_idle(state)
        await _all_gone(state, SECONDS_FOR_ANSWERS, stop)
        stopping.set_result(None)
        stop.clear()
        await _all_gone(state, _SECONDS_TO_TELL, stop)
    finally:
        server.close()
        await _cut_off(state)


def _close_idle(state: ServerState) -> None:
    """Close connections on which nothing is asked, and the others once they have their answer."""
    for connection in list(state.connections):
        with suppress(h11.LocalProtocolError):  # it is broken, and ends by itself
            connection.shutdown()


async def _all_gone(state: ServerState, seconds: float, hurry: asyncio.Event) -> None:
    """Wait until every connection is closed, for so long, or until there is a hurry."""
    end = asyncio.get_running_loop().time() + seconds
    while state.connections and not hurry.is_set() and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


async def _cut_off(state: ServerState) -> None:
    """End what is left."""
    tasks = list(state.tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_SECONDS_TO_TELL)
    for connection in list(state.connections):
        transport: asyncio.Transport | None = getattr(connection, "transport", None)
        if transport is not None:
            transport.abort()
    await asyncio.sleep(0)  # lets the transports close their sockets
    await asyncio.sleep(0)

"""Connections on which a server may answer before a large body is sent to it, and that another thread can end.

A request that says ``Expect: 100-continue`` waits for a moment between its head and its body. A server that redirects
it, or wants another token, says so then, and none of the body goes there in vain; one that knows nothing of it says
nothing, and gets the body. httpcore sends head and body in one go, so this is done below it: once an answer is there,
writing fails, and httpcore then reads the answer.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import httpcore

from ollama_cli.transport.pooled import ResolvingBackend

SECONDS_FOR_AN_ANSWER = 1.0
"""How long the body waits, as long as curl has it wait."""

READ_AT_ONCE = 1024 * 1024
"""Bytes that are taken from the network at a time: fewer steps for a large answer."""

_EXPECTS = b"\r\nexpect: 100-continue\r\n"
_GO_ON = re.compile(rb"HTTP/1\.[01] 1[0-9][0-9]")
_END_OF_HEAD = b"\r\n\r\n"


class PatientBackend(ResolvingBackend):
    """Makes such connections."""

    def __init__(self) -> None:
        super().__init__()
        self._sockets = _Sockets()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect; see ``ResolvingBackend``."""
        return _PatientStream(super().connect_tcp(host, port, timeout, local_address, socket_options), self._sockets)

    def end_all(self) -> None:
        """End every connection; whoever reads from one or writes to it has an error at once."""
        for connection in self._sockets.all():
            with suppress(OSError):  # it was closed meanwhile
                connection.shutdown(socket.SHUT_RDWR)


class _Sockets:
    """The sockets that are in use, for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def add(self, connection: socket.socket) -> None:
        with self._lock:
            self._sockets.add(connection)

    def all(self) -> list[socket.socket]:
        with self._lock:
            return list(self._sockets)


class _PatientStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, sockets: _Sockets) -> None:
        self._stream = stream
        self._sockets = sockets
        self._answer = b""
        sockets.add(stream.get_extra_info("socket"))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._answer:
            given, self._answer = self._answer[:max_bytes], self._answer[max_bytes:]
            return given
        return self._stream.read(max(max_bytes, READ_AT_ONCE), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._answer:
            raise httpcore.WriteError("the server has answered already")
        self._stream.write(buffer, timeout)
        if buffer.endswith(_END_OF_HEAD) and _EXPECTS in buffer.lower():
            self._wait_for_answer()

    def _wait_for_answer(self) -> None:
        said = b""
        try:
            while _END_OF_HEAD not in said and (piece := self._stream.read(READ_AT_ONCE, SECONDS_FOR_AN_ANSWER)):
                said += piece
        except httpcore.ReadTimeout:
            pass
        self._answer = said.partition(_END_OF_HEAD)[2] if _GO_ON.match(said) else said

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _PatientStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._sockets)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore has it
        return self._stream.get_extra_info(info)

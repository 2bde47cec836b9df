"""Connections on which a server may answer before a large body is sent to it, and that another thread can end.

A request that says ``Expect: 100-continue`` waits for a moment between its head and its body. A server that redirects
it, or wants another token, says so then, and none of the body goes there in vain; one that knows nothing of it says
nothing, and gets the body. httpcore sends head and body in one go, so this is done below it: once an answer is there,
writing fails, and httpcore then reads the answer.
"""

from __future__ import annotations

import re
import selectors
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
_HEAD = re.compile(rb"[A-Z]+ [^\r\n]* HTTP/1\.1\r\n")
_GO_ON = re.compile(rb"HTTP/1\.[01] 1[0-9][0-9]")
_WRITTEN_AT_ONCE = 16 * 1024
_A_MOMENT = 0.001  # seconds; a socket takes none at all for "do not wait"
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
        stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
        if not self._sockets.add(stream.get_extra_info("socket")):
            stream.close()  # nobody else would: its client is closed already
            raise httpcore.ConnectError("every connection was ended")
        return _PatientStream(stream, self._sockets)

    def end_all(self) -> None:
        """End every connection, for good; whoever reads from one or writes to it has an error at once."""
        for connection in self._sockets.end():
            with suppress(OSError):  # it was closed meanwhile
                connection.shutdown(socket.SHUT_RDWR)


class _Sockets:
    """The sockets that are in use, for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._ended = False

    def add(self, connection: socket.socket) -> bool:
        """Note one that is in use; or not, where all were ended meanwhile."""
        with self._lock:
            if not self._ended:
                self._sockets.add(connection)
            return not self._ended

    def end(self) -> list[socket.socket]:
        """All of them; none is taken from now on."""
        with self._lock:
            self._ended = True
            return list(self._sockets)


class _PatientStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, sockets: _Sockets) -> None:
        self._stream = stream
        self._sockets = sockets
        self._answer = b""
        self._watched = False
        sockets.add(stream.get_extra_info("socket"))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._answer:
            given, self._answer = self._answer[:max_bytes], self._answer[max_bytes:]
            return given
        return self._stream.read(max(max_bytes, READ_AT_ONCE), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer.endswith(_END_OF_HEAD) and _HEAD.match(buffer):
            self._watched = _EXPECTS in buffer.lower()
            self._stream.write(buffer, timeout)
            if self._watched:
                self._take_answer(SECONDS_FOR_AN_ANSWER)
        elif self._watched:
            self._write_watched(buffer, timeout)
        else:
            self._stream.write(buffer, timeout)

    def _write_watched(self, buffer: bytes, timeout: float | None) -> None:
        """Write a piece of a body, and stop where an answer comes meanwhile, as from one who reads no further."""
        left = memoryview(buffer)
        with selectors.DefaultSelector() as selector:
            selector.register(self._stream.get_extra_info("socket"), selectors.EVENT_READ | selectors.EVENT_WRITE)
            while left and not self._answer:
                ready = selector.select(timeout)
                if not ready:
                    raise httpcore.WriteTimeout("nothing of the body was taken")
                if ready[0][1] & selectors.EVENT_READ:  # or a message of TLS, which is none of ours
                    self._take_answer(_A_MOMENT)
                if ready[0][1] & selectors.EVENT_WRITE and not self._answer:
                    self._stream.write(bytes(left[:_WRITTEN_AT_ONCE]), timeout)
                    left = left[_WRITTEN_AT_ONCE:]
        if self._answer:
            raise httpcore.WriteError("the server has answered already")

    def _take_answer(self, seconds: float) -> None:
        """Take what the server says within some seconds; that it would like the body is no answer."""
        said = b""
        with suppress(httpcore.ReadTimeout):
            while _END_OF_HEAD not in said and (piece := self._stream.read(READ_AT_ONCE, seconds)):
                said += piece
        self._answer = said.partition(_END_OF_HEAD)[2] if _GO_ON.match(said) else said

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _PatientStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._sockets)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore has it
        return self._stream.get_extra_info(info)

"""A transport for one request after the other to one server, on ``http.client``, which httpx loads anyway.

What httpx sends with by itself (httpcore, h11, anyio) takes as long to load as the rest of httpx, and three times the
time for every piece of an answer. It serves proxies, many requests at once and bodies that are streamed; none of that
is needed to ask one question. docs/performance.md has the figures.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.resolving import open_tcp

if TYPE_CHECKING:
    import io

    from ollama_cli.transport.early import EarlyConnection

_MOST_HINTS = 100
"""Answers that only announce the one that is to come; a server usually sends one."""

_MOST_AT_ONCE = 65536
"""Bytes of a body that are given on together, where they have arrived."""


class OneShotTransport(httpx.BaseTransport):
    """Sends one request at a time, each over the connection of the one before if that is still open.

    Not for several threads. It raises httpx's exceptions, as the pooled transport does.

    Args:
        trust: What the server's certificate is held to.
        early: The connection to begin with, where one is being opened.
    """

    def __init__(self, trust: ssl.SSLContext, early: EarlyConnection | None = None) -> None:
        self._trust = trust
        self._early = early
        self._kept: tuple[object, http.client.HTTPConnection] | None = None

    def close(self) -> None:
        """Close the connection that is kept, and one that nobody took."""
        if self._early is not None:
            self._early.close()
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of the answer is read as it is asked for."""
        limits: dict[str, float | None] = request.extensions["timeout"]
        connection = self._connection(request.url, limits["connect"])
        wire: socket.socket = connection.sock  # a connection that ends with the answer lets go of it
        try:
            answer = _answer_of(connection, request, limits)
        except BaseException:
            connection.close()
            raise
        return httpx.Response(
            answer.status,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()],
            stream=_Body(self, connection, wire, answer, request),
            extensions={
                "http_version": b"HTTP/1.1" if answer.version == 11 else b"HTTP/1.0",  # noqa: PLR2004 - its notation
                "reason_phrase": answer.reason.encode("latin-1"),
                "network_stream": _Stream(wire),
            },
        )

    def keep(self, url: httpx.URL, connection: http.client.HTTPConnection) -> None:
        """Keep a connection whose answer was read to its end for the next request to the same server."""
        self.close()
        self._kept = (_server(url), connection)

    def _connection(self, url: httpx.URL, timeout: float | None) -> http.client.HTTPConnection:
        if self._kept is not None:
            (server, connection), self._kept = self._kept, None
            if server == _server(url) and not _said_something(connection.sock):
                return connection
            connection.close()
        connection = http.client.HTTPConnection(url.host)
        connection.response_class = _FinalAnswer
        connection.auto_open = 0
        connection.sock = self._connect(url, timeout)
        return connection

    def _connect(self, url: httpx.URL, timeout: float | None) -> socket.socket:
        host, encrypted = url.raw_host.decode("ascii"), url.scheme == "https"
        port = url.port or (443 if encrypted else 80)
        with _as_httpx(httpx.ConnectTimeout, httpx.ConnectError):
            if self._early is not None and (early := self._early.take()) is not None:
                return early
            plain = open_tcp(host, port, timeout)
            if not encrypted:
                return plain
            try:
                plain.settimeout(timeout)
                return self._trust.wrap_socket(plain, server_hostname=host)
            except BaseException:
                plain.close()
                raise


class _FinalAnswer(http.client.HTTPResponse):
    """An answer whose head is whole, after those that only announce it.

    http.client by itself takes 103 for the answer, and a head that breaks off for one that has ended.
    """

    def begin(self) -> None:
        """Read the head."""
        head = _Head(self.fp)
        self.fp = head  # type: ignore[assignment]  # all that is done with it until the head is there
        super().begin()
        if self.fp is not None:  # it is where the answer has no body
            self.fp = head.file
        if head.last_line not in {b"\r\n", b"\n"}:
            self.close()
            raise http.client.IncompleteRead(b"")

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MOST_HINTS):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # typeshed leaves it out
            if status >= HTTPStatus.OK or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("the server announces an answer without end")


class _Head:
    """The file of an answer while its head is read: remembers the last line."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file
        self.last_line = b""

    def readline(self, size: int = -1) -> bytes:
        """The next line."""
        self.last_line = self.file.readline(size)
        return self.last_line

    def flush(self) -> None:
        """What an end of the answer does first."""
        self.file.flush()

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer, as it arrives."""

    def __init__(
        self,
        transport: OneShotTransport,
        connection: http.client.HTTPConnection,
        wire: socket.socket,
        answer: http.client.HTTPResponse,
        request: httpx.Request,
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._wire = wire
        self._answer = answer
        self._request = request
        self._whole = False

    def __iter__(self) -> Iterator[bytes]:
        answer, limits, wire = self._answer, self._request.extensions["timeout"], self._wire
        missing = None if answer.chunked else answer.length
        with _as_httpx(httpx.ReadTimeout, httpx.ReadError):
            while missing != 0:
                if wire.gettimeout() != limits["read"]:  # it may have changed since the head
                    wire.settimeout(limits["read"])
                part = answer.read1(_MOST_AT_ONCE)
                if not part:
                    break
                if missing is not None:
                    missing -= len(part)
                yield part
        if missing:  # http.client does not tell
            raise httpx.RemoteProtocolError("the server closed the connection before the end of the answer")
        self._whole = True

    def close(self) -> None:
        """Keep the connection where the answer was read to its end and the server keeps it too."""
        reusable = self._whole and not self._answer.will_close
        self._answer.close()
        if reusable:
            self._transport.keep(self._request.url, self._connection)
        else:
            self._connection.close()


class _Stream:
    """What httpx's extension ``network_stream`` is asked for here: the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def get_extra_info(self, name: str) -> Any:  # noqa: ANN401 - what it is depends on the name
        """The socket, by its name in httpx."""
        return self._connection if name == "socket" else None


def _answer_of(
    connection: http.client.HTTPConnection, request: httpx.Request, limits: dict[str, float | None]
) -> http.client.HTTPResponse:
    """Send a request, and read the head of its answer."""
    body = request.read() or None
    with _as_httpx(httpx.WriteTimeout, httpx.WriteError):
        connection.sock.settimeout(limits["write"])
        connection.putrequest(
            request.method, request.url.raw_path.decode("ascii"), skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers.raw:
            connection.putheader(name.decode("latin-1"), value)
        # A server may refuse a body by an answer before its end; where there is none, reading it tells.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(body)
    with _as_httpx(httpx.ReadTimeout, httpx.ReadError):
        connection.sock.settimeout(limits["read"])
        return connection.getresponse()


@contextmanager
def _as_httpx(late: type[httpx.TimeoutException], lost: type[httpx.NetworkError]) -> Iterator[None]:
    """Turn what http.client and sockets raise into what httpx does."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except http.client.HTTPException as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except OSError as error:  # ssl.SSLError is one
        raise lost(str(error)) from error


def _said_something(connection: socket.socket) -> bool:
    """Whether a connection on which nothing is asked can be read from: then the server has closed it."""
    return bool(select.select([connection], [], [], 0)[0])


def _server(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port

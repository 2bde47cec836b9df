"""A connection that is opened while what will use it is still being loaded: httpx, cryptography, the keyring.

Connecting takes two round trips, and loading about as long as one; side by side, the first word of an answer comes that
much sooner. Nothing is sent before somebody takes the connection. docs/performance.md has the figures.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar
from urllib.parse import urlsplit

from ollama_cli.transport.proxies import proxy_for
from ollama_cli.transport.resolving import SECONDS_TO_CONNECT, open_tcp
from ollama_cli.transport.trust import trust_for

SECONDS_OF_USE = 5.0
"""How old a connection may be when it is taken: a server closes one on which nothing is asked."""

_Made = TypeVar("_Made")


def connect_early(base_url: str) -> EarlyConnection | None:
    """Begin to connect to a server before there is a client for it, where that saves time.

    Args:
        base_url: Scheme, host, port and base path.

    Returns:
        The connection; or None for plain http, whose server is near, and where a proxy is on the way.
    """
    if not base_url.startswith("https://") or proxy_for(base_url) is not None:
        return None
    return EarlyConnection(base_url)


class EarlyConnection:
    """A connection that is being opened, with its TLS.

    Args:
        base_url: An https address, to which no proxy leads.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._begun = time.monotonic()
        self._trust = _in_background(lambda: trust_for(base_url))
        self._connection: Future[ssl.SSLSocket] | None = _in_background(self._connect)

    def trust(self) -> ssl.SSLContext:
        """What its certificate is held to.

        Raises:
            OSError: SSL_CERT_FILE or SSL_CERT_DIR cannot be used.
        """
        return self._trust.result()

    def take(self) -> ssl.SSLSocket | None:
        """The connection, once; None where it is too old by now, or was taken.

        Raises:
            TimeoutError: It took too long.
            OSError: It could not be made.
        """
        waiting, self._connection = self._connection, None
        if waiting is None:
            return None
        connection = waiting.result(max(0.0, self._begun + SECONDS_TO_CONNECT - time.monotonic()))
        if time.monotonic() - self._begun > SECONDS_OF_USE:
            connection.close()
            return None
        return connection

    def close(self) -> None:
        """Close it where nobody has taken it, now or as soon as it is there."""
        waiting, self._connection = self._connection, None
        if waiting is not None:
            waiting.add_done_callback(_close)

    def _connect(self) -> ssl.SSLSocket:
        plain = open_tcp(self._host, self._port, SECONDS_TO_CONNECT)
        try:
            return self._trust.result().wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise


def _close(made: Future[ssl.SSLSocket]) -> None:
    if made.exception() is None:
        made.result().close()


def _in_background(make: Callable[[], _Made]) -> Future[_Made]:
    """Do something in a thread of its own, which keeps nobody from ending the program."""
    future: Future[_Made] = Future()

    def work() -> None:
        try:
            future.set_result(make())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=work, name="early connection", daemon=True).start()
    return future

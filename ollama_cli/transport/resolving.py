"""Names of hosts made into addresses within the time that a connection may take, and so that Ctrl-C ends it.

The system's own resolver takes as long as it likes, and nothing of Python runs while it does. So it works in a thread
that is left behind where it hangs.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

import httpcore

from ollama_cli.errors import UnavailableError

_Addresses = list[str]


class ResolvingBackend(httpcore.SyncBackend):
    """Connects to the addresses of a name one after the other."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect.

        Raises:
            ConnectTimeout: The name, or a connection, took longer than the time-out.
            ConnectError: There is no such name, or no address of it takes a connection.
        """
        end = None if timeout is None else time.monotonic() + timeout
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _addresses_of(host, port, timeout):
            left = None if end is None else max(0.0, end - time.monotonic())
            try:
                return super().connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


def resolve(name: str, seconds: float) -> list[str]:
    """The addresses of a name.

    Args:
        name: A host name, or an address, which stands for itself.
        seconds: How long that may take.

    Raises:
        UnavailableError: There is no such name, or it was not found in time.
    """
    hint = "Check the network connection, and the name server that this machine is set to."
    try:
        return _addresses_of(name, 0, seconds)
    except httpcore.ConnectTimeout as error:
        raise UnavailableError(
            f"The name {name} was not resolved within {seconds:g} seconds.", hint=hint, code="dns"
        ) from error
    except httpcore.ConnectError as error:
        raise UnavailableError(f"The name {name} cannot be resolved.", hint=hint, code="dns") from error


def _addresses_of(host: str, port: int, timeout: float | None) -> _Addresses:
    with suppress(ValueError):
        return [str(ip_address(host))]
    found: Future[_Addresses] = Future()
    threading.Thread(target=_resolve, args=(host, port, found), name="resolver", daemon=True).start()
    try:
        return found.result(timeout)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"{host} was not found in time") from error
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error


def _resolve(host: str, port: int, found: Future[_Addresses]) -> None:
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.set_result(list(dict.fromkeys(str(entry[4][0]) for entry in known)))
    except (OSError, UnicodeError) as error:  # the second is for a name that cannot be one
        found.set_exception(error if isinstance(error, OSError) else socket.gaierror(str(error)))

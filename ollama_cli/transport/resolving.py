"""Names of hosts made into addresses, and connections to them, within a time limit, and so that Ctrl-C ends it.

The system's own resolver takes as long as it likes, and nothing of Python runs while it does. So it works in a thread
that is left behind where it hangs.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from ipaddress import ip_address
from typing import TypeVar

from ollama_cli.errors import UnavailableError

SECONDS_TO_CONNECT = 10.0
"""How long a connection, and its TLS, may take."""

_Addresses = list[str]
_Connection = TypeVar("_Connection")


def connect_to_any(
    host: str, port: int, timeout: float | None, connect: Callable[[str, float | None], _Connection]
) -> _Connection:
    """Connect to the addresses of a name one after the other.

    Args:
        host: A name or an address.
        port: The port, which some resolvers want to know.
        timeout: Seconds for everything; None is no limit.
        connect: Connects to one address within the seconds that are left, or raises an ``OSError``.

    Raises:
        TimeoutError: The name, or the last address, took too long.
        OSError: There is no such name, or no address of it takes a connection.
    """
    end = None if timeout is None else time.monotonic() + timeout
    failed = OSError(f"{host} has no address")
    for address in _addresses_of(host, port, timeout):
        left = None if end is None else max(0.0, end - time.monotonic())
        try:
            return connect(address, left)
        except OSError as error:
            failed = error
    raise failed


def open_tcp(host: str, port: int, timeout: float | None) -> socket.socket:
    """Connect to a name, to which small pieces are sent without waiting for more.

    Raises:
        TimeoutError: It took too long.
        OSError: It failed.
    """

    def connect(address: str, left: float | None) -> socket.socket:
        connection = socket.create_connection((address, port), left)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    return connect_to_any(host, port, timeout, connect)


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
    except TimeoutError as error:
        raise UnavailableError(
            f"The name {name} was not resolved within {seconds:g} seconds.", hint=hint, code="dns"
        ) from error
    except OSError as error:
        raise UnavailableError(f"The name {name} cannot be resolved.", hint=hint, code="dns") from error


def _addresses_of(host: str, port: int, timeout: float | None) -> _Addresses:
    with suppress(ValueError):
        return [str(ip_address(host))]
    found: Future[_Addresses] = Future()
    threading.Thread(target=_resolve, args=(host, port, found), name="resolver", daemon=True).start()
    try:
        return found.result(timeout)
    except TimeoutError as error:
        raise TimeoutError(f"{host} was not found in time") from error


def _resolve(host: str, port: int, found: Future[_Addresses]) -> None:
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.set_result(list(dict.fromkeys(str(entry[4][0]) for entry in known)))
    except (OSError, UnicodeError) as error:  # the second is for a name that cannot be one
        found.set_exception(error if isinstance(error, OSError) else socket.gaierror(str(error)))

"""httpx's own transport, with names resolved by us: proxies, many requests at once, everything but the one-shot."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from ollama_cli.transport.held import HeldStream
from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.limits import Deadline
from ollama_cli.transport.resolving import connect_to_any


class ResolvingBackend(httpcore.SyncBackend):
    """Connects to the addresses of a name one after the other.

    Args:
        deadline: The time for everything, which its connections keep to; None is no limit.
    """

    def __init__(self, deadline: Deadline | None = None) -> None:
        self._deadline = deadline or Deadline()

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

        def connect(address: str, left: float | None) -> httpcore.NetworkStream:
            try:
                connected = super(ResolvingBackend, self).connect_tcp(
                    address, port, left, local_address, socket_options
                )
            except httpcore.ConnectTimeout as error:
                raise TimeoutError(str(error)) from error
            except httpcore.ConnectError as error:
                raise OSError(str(error)) from error
            return HeldStream(connected, self._deadline) if self._deadline.counts else connected

        try:
            return connect_to_any(host, port, self._deadline.within(timeout), connect)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error


def pooled_transport(
    trust: ssl.SSLContext,
    proxy: str | None,
    trust_in_proxy: ssl.SSLContext | None,
    deadline: Deadline,
    backend: ResolvingBackend | None = None,
) -> httpx.HTTPTransport:
    """A transport for one server.

    Args:
        trust: What its certificate is held to.
        proxy: The proxy on the way, or None.
        trust_in_proxy: What the proxy's certificate is held to, where it speaks TLS itself.
        deadline: The time for everything.
        backend: What makes its connections, where that is not the usual one.

    Raises:
        ValueError: The proxy's address cannot be used.
    """
    transport = httpx.HTTPTransport(
        verify=trust,
        trust_env=False,
        proxy=httpx.Proxy(proxy, ssl_context=trust_in_proxy) if proxy else None,
    )
    backend = backend or ResolvingBackend(deadline)
    transport._pool._network_backend = backend  # noqa: SLF001 - httpx has no other way to name one
    return transport

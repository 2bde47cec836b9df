"""A connection whose every step keeps to one deadline, however a server spreads what it sends.

A time-out alone begins anew with each byte: a server that sends a header a second would never be given up.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpcore

from ollama_cli.transport.limits import Deadline

_WRITTEN_AT_ONCE = 64 * 1024
"""Bytes after which the time is looked at again while a request is sent."""


class HeldStream(httpcore.NetworkStream):
    """A connection that gives up once the time is over.

    Args:
        stream: The connection.
        deadline: The time for everything.
    """

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is, once there is something."""
        return self._stream.read(max_bytes, self._deadline.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        for start in range(0, len(buffer), _WRITTEN_AT_ONCE):
            self._stream.write(buffer[start : start + _WRITTEN_AT_ONCE], self._deadline.within(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on under TLS."""
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.within(timeout))
        return HeldStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as the library has it
        """What the library knows of the connection."""
        return self._stream.get_extra_info(info)

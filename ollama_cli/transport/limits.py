"""How long is waited for a server: for each step of a request, and for everything together."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from threading import TIMEOUT_MAX
from typing import NamedTuple

from ollama_cli.errors import CliError, UnavailableError
from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.resolving import SECONDS_TO_CONNECT


class Limits(NamedTuple):
    """Seconds that each step may stand still; an answer that goes on may take as long as it likes.

    Attributes:
        connect: For a connection, and for its TLS.
        first_byte: From the request to the first byte of its answer.
        idle: Between two bytes of an answer.
    """

    connect: float
    first_byte: float
    idle: float


FOR_AN_ACCOUNT = Limits(SECONDS_TO_CONNECT, 30, 30)
"""For requests about an account or a list."""

FOR_A_MODEL = Limits(SECONDS_TO_CONNECT, 900, 300)
"""For requests that a model answers: it may have to be loaded first, or to wait for its turn."""

FOR_WORK = Limits(SECONDS_TO_CONNECT, 3600, 3600)
"""For a daemon's work on a model: it says nothing while it verifies or converts hundreds of gigabytes."""

_A_MOMENT = 0.001
"""Seconds: a socket takes none at all for "do not wait"."""


class Deadline:
    """The moment at which the time for everything is over, retries and whole answers included.

    Args:
        seconds: How long that is from now, or None for no limit; so is what no clock counts to.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._end = math.inf if seconds is None or seconds > TIMEOUT_MAX else time.monotonic() + seconds

    @property
    def counts(self) -> bool:
        """Whether there is a limit at all."""
        return not math.isinf(self._end)

    @property
    def left(self) -> float:
        """Seconds that are left; not below 0."""
        return max(0.0, self._end - time.monotonic())

    def timeout(self, limits: Limits) -> httpx.Timeout:
        """The limits of a request that begins now, for httpx.

        Raises:
            UnavailableError: The time is over.
        """
        self.check()
        return httpx.Timeout(min(limits.first_byte, self.left), connect=min(limits.connect, self.left))

    def check(self, cause: CliError | None = None) -> None:
        """Raise if the time is over.

        Raises:
            UnavailableError: It is.
        """
        if not self.left:
            unit = "second" if self._seconds == 1 else "seconds"
            raise UnavailableError(
                f"The answer was not complete within {self._seconds:g} {unit}.",
                hint="Allow more time, or try again in a moment.",
                code="timed_out",
            ) from cause

    def within(self, timeout: float | None) -> float | None:
        """How long a step may take that begins now: as long as it says, and no longer than the time that is left."""
        if not self.counts:
            return timeout
        left = max(self.left, _A_MOMENT)
        return left if timeout is None else min(timeout, left)

    def parts_of(self, response: httpx.Response) -> Iterator[bytes]:
        """The body of an answer as it arrives; one that goes on when the time is over is broken off.

        Raises:
            UnavailableError: The time is over.
        """
        for part in response.iter_bytes():
            yield part
            self.check()

"""What time it is for a signature, and how far a server's clock is from ours.

A signed request carries its time, and a server takes it for some minutes only. A machine whose clock is wrong would be
refused for ever, so the server's own ``Date`` mends it, within limits: never by more than a day, and only where the
date comes over verified TLS from ollama.com, or from this machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from ollama_cli.settings.hosts import CLOUD_URL, is_loopback

SECONDS_OF_SKEW = 60
"""A difference below this is not what a signature was refused for."""

LONGEST_MEND = 24 * 60 * 60
"""A difference above this, in seconds, is not believed."""


class Clock:
    """This machine's time, mended by a server's where it has to be.

    Args:
        now: Gives unix seconds.
        on_mend: Called with the number of seconds that our clock was behind (negative: ahead) when it is mended.
    """

    def __init__(self, now: Callable[[], float] = time.time, on_mend: Callable[[int], None] | None = None) -> None:
        self._now = now
        self._on_mend = on_mend
        self._offset = 0

    @property
    def offset(self) -> int:
        """By how many seconds this machine's time is mended."""
        return self._offset

    def timestamp(self) -> int:
        """Unix seconds, as a signature carries them."""
        return int(self._now()) + self._offset

    def mend(self, date: str | None, origin: str) -> bool:
        """Take over a server's time, where it may be believed and differs.

        Args:
            date: The ``Date`` header of an answer.
            origin: Where the answer came from.

        Returns:
            Whether it was taken over.
        """
        if date is None or not (origin == CLOUD_URL or is_loopback(origin)):
            return False
        try:
            server = int(parsedate_to_datetime(date).timestamp())
        except (ValueError, OverflowError):
            return False
        offset = server - int(self._now())
        if abs(offset) > LONGEST_MEND or abs(offset - self._offset) < SECONDS_OF_SKEW:
            return False
        self._offset = offset
        if self._on_mend is not None:
            self._on_mend(offset)
        return True

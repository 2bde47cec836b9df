"""The last lines of a terminal, drawn over and over by rich, and what is told above them meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from ollama_cli.terminal.ending import undisturbed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.progress import Progress

    from ollama_cli.terminal.streams import Streams

_SECONDS_A_FRAME = 0.1


class LiveLines:
    """Draws something in the last lines until it is stopped.

    One thread at a time draws: rich works out how far to go up before it draws, and what another thread draws in
    between has it go up too far, over a line that was to stay.

    Args:
        streams: The terminal is behind its ``err``.
        console: The same, as rich has it.
        drawn: What is drawn; it must not refresh itself.
    """

    def __init__(self, streams: Streams, console: Console, drawn: Live | Progress) -> None:
        self._lock = threading.RLock()
        self._last_lines = streams.last_lines
        self._console = console
        self._drawn = drawn
        self._started = False
        self._stopped = threading.Event()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """While what is drawn changes: neither another thread nor a signal comes in between."""
        with undisturbed(), self._lock:
            yield

    def start(self) -> None:
        """Begin to draw, unless that is so already."""
        with self.changing():
            if not self._started:
                self._started = True
                self._drawn.start()
                self._last_lines.print_above = self.print
                threading.Thread(target=self._draw_on, name="live lines", daemon=True).start()

    def print(self, line: str) -> None:
        """Print a line above what is drawn; where it is too long the terminal breaks it, so that a link stays whole."""
        with self.changing():
            self._console.print(Text(line), soft_wrap=True)

    def stop(self) -> None:
        """Draw no more."""
        try:
            self._stop()
        except BaseException:  # a signal that came before it had begun
            self._stop()
            raise

    def _stop(self) -> None:
        with self.changing():
            self._stopped.set()
            self._last_lines.print_above = None
            self._drawn.stop()

    def _draw_on(self) -> None:
        """Draw what moves by itself, such as a rate."""
        while not self._stopped.wait(_SECONDS_A_FRAME):
            with self._lock:
                self._drawn.refresh()

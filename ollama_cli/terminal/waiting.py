"""A sign of life while something takes its time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Self

from ollama_cli.terminal.ending import undisturbed
from ollama_cli.terminal.streams import Streams

if TYPE_CHECKING:
    from ollama_cli.terminal.live_lines import LiveLines

_SECONDS_OF_QUIET = 0.5
_SECONDS_A_FRAME = 0.1
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class SignOfLife:
    """Shows a terminal that an answer is waited for, once that takes a moment, as a context manager.

    The sign stands a column from the edge, and the cursor before it: whatever is told meanwhile is written over it.

    Args:
        streams: The terminal; elsewhere nothing is shown.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._wanted = streams.out.isatty() and streams.err.isatty() and not streams.dumb
        self._stopped = threading.Event()
        self._drawing = threading.Lock()
        self._drawn = False

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # it would turn for ever
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Show it in a moment, unless it is stopped before."""
        if self._wanted:
            with undisturbed():
                threading.Thread(target=self._run, name="sign of life", daemon=True).start()

    def stop(self) -> None:
        """Take it off the screen, for what is shown next; it does not come back."""
        if self._stopped.is_set():
            return
        with undisturbed(), self._drawing:
            self._stopped.set()
            if self._drawn:
                self._streams.whisper("\r  \r")

    def _run(self) -> None:
        if self._stopped.wait(_SECONDS_OF_QUIET):
            return
        for frame in cycle(_FRAMES):
            with self._drawing:
                if self._stopped.is_set():
                    return
                self._drawn = True
                self._streams.whisper(f"\r {frame}\r")
            self._stopped.wait(_SECONDS_A_FRAME)


@contextmanager
def spinner(streams: Streams, text: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner on a terminal's stderr while the block runs; elsewhere say the text once.

    Yields:
        Puts another text in the place of the one that is shown; elsewhere says it, if it is another.
    """
    if _can_turn(streams):
        turning = _Turning(streams)
        try:
            turning.show(text)
            yield turning.show
        finally:
            turning.make_room()
        return
    shown = text

    def say(other: str) -> None:
        nonlocal shown
        if other != shown:
            shown = other
            streams.say(other)

    streams.say(text)
    yield say


@contextmanager
def pausing_spinner(streams: Streams) -> Iterator[Callable[[str | None], None]]:
    """A spinner on a terminal's stderr that can make room for a question; elsewhere nothing is shown.

    Yields:
        Shows a text, or with None makes room.
    """
    if not _can_turn(streams):
        yield lambda _: None
        return
    turning = _Turning(streams)
    try:
        yield lambda text: turning.make_room() if text is None else turning.show(text)
    finally:
        turning.make_room()


def _can_turn(streams: Streams) -> bool:
    """Whether stderr has a cursor that can be moved."""
    return streams.err.isatty() and not streams.dumb


class _Turning:
    """A spinner in the last line, above which stands what is told meanwhile."""

    def __init__(self, streams: Streams) -> None:
        from rich.console import Console
        from rich.spinner import Spinner

        self._streams = streams
        self._console = Console(file=streams.err, no_color=not streams.color)
        self._spinner = Spinner("dots", style="status.spinner")
        self._lines: LiveLines | None = None

    def show(self, text: str) -> None:
        """Show a text beside it."""
        from rich.text import Text

        self._lines = self._lines or self._new_lines()
        with self._lines.changing():
            self._spinner.update(text=Text(text))  # a plain text would be read for markup
            self._lines.start()

    def make_room(self) -> None:
        """Take it off the screen."""
        if self._lines is not None:
            self._lines.stop()
            self._lines = None

    def _new_lines(self) -> LiveLines:
        from rich.live import Live

        from ollama_cli.terminal.live_lines import LiveLines

        live = Live(
            self._spinner,
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        return LiveLines(self._streams, self._console, live)

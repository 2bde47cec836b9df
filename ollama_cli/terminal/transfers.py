"""How far a transfer of layers is: bars at a terminal, a plain line a step elsewhere. All of it on stderr."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SHORT_DIGEST = 12


class Step(Protocol):
    """A step of a transfer.

    Attributes:
        status: What is done, in the server's words.
        digest: The layer, or nothing.
        total: Its size in bytes.
        completed: How many of them are there.
    """

    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def total(self) -> int: ...  # noqa: D102
    @property
    def completed(self) -> int: ...  # noqa: D102


class TransferProgress:
    """Shows the steps of a transfer, as a context manager."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last = ""

    def __enter__(self) -> Self:
        if self._streams.err.isatty():
            self._bars = _bars(self._streams)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def show(self, step: Step) -> None:
        """Show a step."""
        text = clean_line(step.status)
        if self._bars is not None and step.digest:
            self._show_layer(self._bars, step)
        elif text != self._last:
            self._last = text
            if self._bars is not None:
                self._bars.console.print(text, markup=False, emoji=False, highlight=False)
            else:
                self._streams.say(text)

    def _show_layer(self, bars: Progress, step: Step) -> None:
        if step.digest not in self._tasks:
            name = clean_line(step.digest.removeprefix("sha256:"))[:_SHORT_DIGEST]
            self._tasks[step.digest] = bars.add_task(name, total=step.total or None)
        bars.update(self._tasks[step.digest], completed=step.completed, total=step.total or None)


def _bars(streams: Streams) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(file=streams.err, no_color=not streams.color),
    )

"""The bars of a transfer at a terminal: what is under way stands in the last lines, what is done scrolls away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from ollama_cli.terminal.live_lines import LiveLines
from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.words import size_in_words

if TYPE_CHECKING:
    from ollama_cli.terminal.transfer_steps import Step

_NARROW, _MIDDLE = 40, 70
_LINES_FOR_OTHERS = 3
_LONGEST_BAR = 30
_PERCENTAGE = 7
_MINUTE, _HOUR, _MOST_HOURS = 60, 3600, 100


class TransferBars:
    """Bars for what has a size, and below them what else is done now.

    Args:
        streams: The terminal is behind its ``err``.
    """

    def __init__(self, streams: Streams) -> None:
        self._console = Console(file=streams.err, no_color=not streams.color)
        self._bars = _Bars(self._console)
        self._lines = LiveLines(streams, self._console, self._bars)
        self._tasks: dict[str, TaskID] = {}
        self._done: set[str] = set()
        self._status = ""

    def show(self, text: str, step: Step) -> None:
        """Show a step, whose status is a clean line."""
        with self._lines.changing():
            self._lines.start()
            if step.digest:
                self._settle_status()
                self._show_size(text, step)
            elif text and text != self._status:
                self._settle_status()
                self._status = self._bars.status = text

    def end(self) -> None:
        """Leave what is shown as it is, and the cursor below it."""
        try:
            with self._lines.changing():
                self._settle_status()
        finally:
            self._lines.stop()

    def _settle_status(self) -> None:
        if self._status:
            self._lines.print(self._status)
            self._status = self._bars.status = ""

    def _show_size(self, text: str, step: Step) -> None:
        total = step.total or None
        completed = min(step.completed, step.total) if step.total else step.completed
        if step.digest in self._done:
            if completed == total:
                return
            self._done.remove(step.digest)  # it begins anew
        if step.digest not in self._tasks:
            self._make_room()
            # What was there before this transfer began is not counted into its rate.
            self._tasks[step.digest] = self._bars.add_task(text, total=total, completed=completed)
        self._bars.update(self._tasks[step.digest], completed=completed, total=total)
        if total is not None and completed >= total:
            self._settle(step.digest)
            self._done.add(step.digest)

    def _make_room(self) -> None:
        while len(self._tasks) >= max(1, self._console.height - _LINES_FOR_OTHERS):
            self._settle(next(iter(self._tasks)))

    def _settle(self, digest: str) -> None:
        """Print a bar as it is now, and take it out of those that change."""
        id_ = self._tasks.pop(digest)
        self._console.print(self._bars.make_tasks_table([task for task in self._bars.tasks if task.id == id_]))
        self._bars.remove_task(id_)


class _Bars(Progress):
    """Rich's bars, and a line of our own below them."""

    def __init__(self, console: Console) -> None:
        self.status = ""
        self._working = SpinnerColumn()
        super().__init__(
            *_columns(console.width), console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is under way."""
        if self.tasks:
            yield self.make_tasks_table(self.tasks)
        if self.status:
            spinner = self._working.spinner.render(self.get_time())
            line = spinner if isinstance(spinner, Text) else Text()
            yield Text.assemble(line, " ", self.status, no_wrap=True, overflow="ellipsis")


def _columns(width: int) -> list[ProgressColumn]:
    """What there is room for."""
    room = width - _PERCENTAGE if width < _NARROW else width * 2 // 5
    fitting = Column(no_wrap=True, overflow="ellipsis", max_width=max(1, room))
    name = TextColumn("{task.description}", markup=False, table_column=fitting)
    if width < _NARROW:
        return [name, _Percentage(_kept())]
    bar = BarColumn(bar_width=min(_LONGEST_BAR, width // 4))
    return [name, bar, _Size(_kept()), *([_Rate(_kept()), _TimeLeft(_kept())] if width >= _MIDDLE else [])]


def _kept() -> Column:
    """A column whose text is not broken."""
    return Column(no_wrap=True)


class _Percentage(ProgressColumn):
    """How much is there, of a hundred."""

    def render(self, task: Task) -> Text:
        """The column's text."""
        return Text(f"{int(task.percentage):3}%" if task.total else size_in_words(int(task.completed)))


class _Size(ProgressColumn):
    """How much is there, of how much."""

    def render(self, task: Task) -> Text:
        """The column's text."""
        there = size_in_words(int(task.completed))
        return Text(f"{there}/{size_in_words(int(task.total))}" if task.total else there)


class _Rate(ProgressColumn):
    """How much comes in a second."""

    def render(self, task: Task) -> Text:
        """The column's text."""
        rate = task.finished_speed or task.speed
        return Text(f"{size_in_words(int(rate))}/s" if rate else "")


class _TimeLeft(ProgressColumn):
    """How long the rest will take."""

    def render(self, task: Task) -> Text:
        """The column's text."""
        left = task.time_remaining
        return Text("" if left is None or task.finished else time_left_in_words(left))


def time_left_in_words(seconds: float) -> str:
    """A time in two units at most.

    >>> time_left_in_words(42), time_left_in_words(61), time_left_in_words(3661), time_left_in_words(10**9)
    ('42s', '1m1s', '1h1m', '99h+')
    """
    whole = int(seconds)
    if whole >= _MOST_HOURS * _HOUR:
        return "99h+"
    if whole >= _HOUR:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE}m"
    return f"{whole // _MINUTE}m{whole % _MINUTE}s" if whole >= _MINUTE else f"{whole}s"

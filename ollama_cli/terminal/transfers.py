"""How far a transfer is: bars at a terminal, a plain line a step elsewhere. All of it on stderr."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.words import size_in_words

if TYPE_CHECKING:
    from ollama_cli.terminal.transfer_bars import TransferBars
    from ollama_cli.terminal.transfer_steps import Step


class TransferProgress:
    """Shows the steps of a transfer, as a context manager.

    Args:
        streams: Where they are shown.
        lines: Whether what is no terminal gets a line a step; else it gets nothing.
    """

    def __init__(self, streams: Streams, *, lines: bool = True) -> None:
        self._streams = streams
        self._lines = lines
        self._bars: TransferBars | None = None
        self._last = ""
        self._begun: set[str] = set()

    def __enter__(self) -> Self:
        if self._streams.err.isatty() and not self._streams.dumb:
            from ollama_cli.terminal.transfer_bars import TransferBars

            self._bars = TransferBars(self._streams)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.end()

    def show(self, step: Step) -> None:
        """Show a step."""
        text = clean_line(step.status)
        if self._bars is not None:
            self._bars.show(text, step)
        elif self._lines and text:
            self._say(text, step)

    def _say(self, text: str, step: Step) -> None:
        if step.digest:
            if step.digest not in self._begun:
                self._begun.add(step.digest)
                self._streams.say(f"{text} ({size_in_words(step.total)})" if step.total else text)
        elif text != self._last:
            self._last = text
            self._streams.say(text)

"""A sign of life while something takes its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ollama_cli.terminal.streams import Streams


@contextmanager
def spinner(streams: Streams, text: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner on a terminal's stderr while the block runs; elsewhere say the text once.

    Yields:
        Puts another text in the place of the one that is shown; elsewhere says it, if it is another.
    """
    if streams.err.isatty():
        from rich.console import Console
        from rich.markup import escape

        console = Console(file=streams.err, no_color=not streams.color)
        if not console.is_dumb_terminal:
            with console.status(escape(text)) as status:
                yield lambda other: status.update(escape(other))
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
    if not streams.err.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(file=streams.err, no_color=not streams.color)
    if console.is_dumb_terminal:
        yield lambda _: None
        return
    status = console.status("")

    def show(text: str | None) -> None:
        if text is None:
            status.stop()
        else:
            status.update(escape(text))
            status.start()

    try:
        yield show
    finally:
        status.stop()

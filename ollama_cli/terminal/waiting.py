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

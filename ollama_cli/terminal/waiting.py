"""A sign of life while something takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ollama_cli.terminal.streams import Streams


@contextmanager
def spinner(streams: Streams, text: str) -> Iterator[None]:
    """Show a spinner on a terminal's stderr while the block runs; elsewhere say the text once."""
    if not streams.err.isatty():
        streams.say(text)
        yield
        return
    from rich.console import Console

    console = Console(file=streams.err, no_color=not streams.color)
    if console.is_dumb_terminal:
        streams.say(text)
        yield
        return
    with console.status(text):
        yield

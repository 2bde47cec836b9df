"""Questions to a person, on stderr, so that stdout stays the answer's."""

from __future__ import annotations

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.typing_ahead import typing_a_line


def ask_hidden(streams: Streams, question: str) -> str | None:
    """Ask for a secret, whose letters are not shown; None at the end of input. Ask only where ``interactive``."""
    from getpass import getpass

    try:
        with typing_a_line():
            return getpass(clean_line(question), stream=streams.err)
    except EOFError:
        streams.say("")
        return None


def confirm(streams: Streams, question: str, *, default: bool) -> bool:
    """Ask a yes-or-no question; the end of input means no. Ask only where ``streams.interactive``."""
    from rich.console import Console
    from rich.prompt import Confirm
    from rich.text import Text

    console = Console(file=streams.err, no_color=not streams.color)
    try:
        with typing_a_line():
            return Confirm.ask(Text(clean_line(question), style="prompt"), console=console, default=default)
    except EOFError:
        streams.say("")
        return False

"""Questions to a person, on stderr, so that stdout stays the answer's."""

from __future__ import annotations

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.typing_ahead import typing_a_line

_TRIES = 3


def ask_hidden(streams: Streams, question: str) -> str | None:
    """Ask for a secret, whose letters are not shown; None at the end of input. Ask only where ``interactive``.

    Only the main thread asks, in any other it is None: a signal would end the program without giving the terminal back.
    """
    import threading
    from getpass import getpass

    if threading.current_thread() is not threading.main_thread():
        return None
    try:
        with typing_a_line():
            return getpass(clean_line(question), stream=streams.err)
    except EOFError:
        streams.say("")
        return None


def ask_new_passphrase(streams: Streams) -> str | None:
    """Ask for a passphrase to be set, twice; None where it is not typed twice alike. Ask only where ``interactive``."""
    for _ in range(_TRIES):
        passphrase = ask_hidden(streams, "New passphrase: ")
        if not passphrase:
            return None
        if ask_hidden(streams, "The same passphrase again: ") == passphrase:
            return passphrase
        streams.say("These are not the same.")
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

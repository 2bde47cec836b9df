"""What a person types while the program shows something else, or asks in between."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

if sys.platform != "win32":  # there the console behaves so by itself
    import termios


@contextmanager
def typing_ahead() -> Iterator[None]:
    """Keep what is typed while something else is shown: unseen, and for the next line to read. Ctrl-C still interrupts.

    Without this the terminal would print it into the answer, and take lines apart by itself.
    """
    with _line_mode(on=False):
        yield


@contextmanager
def typing_a_line() -> Iterator[None]:
    """Have the terminal show what is typed and hand it over by the line, for a question in between."""
    with _line_mode(on=True):
        yield


@contextmanager
def _line_mode(*, on: bool) -> Iterator[None]:
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before, changed = termios.tcgetattr(descriptor), termios.tcgetattr(descriptor)
    read, shown = termios.ICRNL, termios.ECHO | termios.ICANON
    changed[0] = changed[0] | read if on else changed[0] & ~read
    changed[3] = changed[3] | shown if on else changed[3] & ~shown

    def change(*_: object) -> None:
        with suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(descriptor, termios.TCSANOW, changed)

    handler = signal.getsignal(signal.SIGCONT)
    try:
        change()
        signal.signal(signal.SIGCONT, change)  # a shell that had the terminal meanwhile leaves it in its own mode
        yield
    finally:  # in steps within which no signal can raise: one that comes before the second still has it done
        try:
            signal.signal(signal.SIGCONT, handler)
        finally:
            try:  # noqa: SIM105 - `suppress` is a function of Python's own, in which one can
                termios.tcsetattr(descriptor, termios.TCSANOW, before)
            except termios.error:
                pass

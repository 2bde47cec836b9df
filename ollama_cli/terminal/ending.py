"""How the program ends when it is told to: through every ``finally``, so that a terminal gets its cursor back."""

from __future__ import annotations

import _thread
import signal
import sys
import time
from typing import NoReturn

_SIGNAL = 128
"""A program that a signal ended has the signal's number and this as its status."""

_SOON = 0.01
"""Seconds after which a signal comes again that came while Python was tidying up."""


def end_tidily_when_told() -> None:
    """Have SIGTERM and SIGHUP, as Ctrl-C, raise where the program is; and have none of them be lost."""
    signal.signal(signal.SIGTERM, _end)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
        signal.signal(signal.SIGHUP, _end)
    sys.unraisablehook = _have_it_again


def _end(number: int, _: object) -> NoReturn:
    raise SystemExit(_SIGNAL + number)


def _have_it_again(unraisable: sys.UnraisableHookArgs) -> None:
    """What a signal raises where an object is taken away, Python drops there, with a traceback: then it comes again."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        _thread.start_new_thread(_raise_soon, (_thread.get_ident(), signal.SIGINT))
    elif isinstance(unraisable.exc_value, SystemExit) and isinstance(unraisable.exc_value.code, int):
        _thread.start_new_thread(_raise_soon, (_thread.get_ident(), unraisable.exc_value.code - _SIGNAL))
    else:
        sys.__unraisablehook__(unraisable)


def _raise_soon(main_thread: int, number: int) -> None:
    time.sleep(_SOON)  # not in the hook itself: what is raised there is dropped, too
    if sys.platform == "win32":
        _thread.interrupt_main(signal.Signals(number))
    else:
        signal.pthread_kill(main_thread, number)  # so that it wakes from what it waits in

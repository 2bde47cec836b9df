"""How the program ends when it is told to: through every ``finally``, so that a terminal gets its cursor back."""

from __future__ import annotations

import _thread
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_SIGNAL = 128
"""A program that a signal ended has the signal's number and this as its status."""

_SOON = 0.01
"""Seconds after which a signal comes again that came while Python was tidying up."""

_held: list[int] | None = None
"""The signals that came in a block that is not to be disturbed; None outside of one."""


def end_tidily_when_told() -> None:
    """Have SIGTERM and SIGHUP, as Ctrl-C, raise where the program is; and have none of them be lost."""
    signal.signal(signal.SIGTERM, _end)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
        signal.signal(signal.SIGHUP, _end)
    sys.unraisablehook = _have_it_again


def endings() -> list[signal.Signals]:
    """The signals that end a server, which does not end by itself; nohup has SIGHUP ignored."""
    ends = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ends.append(signal.SIGHUP)
    return ends


@contextmanager
def ending_by(act: Callable[[], bool]) -> Iterator[None]:
    """Have SIGTERM and SIGHUP call something while the block runs, for what cannot bear that they raise anywhere in it.

    Args:
        act: Has the block come to its end; false where it cannot, and the signal is to raise.

    Raises:
        SystemExit: A signal came; the block is over.
    """
    told = 0

    def note(number: int, frame: object) -> None:
        nonlocal told
        if told or not act():
            _end(number, frame)
        told = number

    ours = [number for number in signal.valid_signals() if signal.getsignal(number) is _end]
    for number in ours:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, _end)
        if told:
            raise SystemExit(_SIGNAL + told)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Have Ctrl-C wait for the end of the block: for what must not be left half done, and takes a moment only.

    Raises:
        KeyboardInterrupt: It came meanwhile; the block is done.
    """
    handler, came = signal.getsignal(signal.SIGINT), False

    def note(*_: object) -> None:
        nonlocal came
        came = True

    if not callable(handler):  # ignored, as by nohup
        yield
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have Ctrl-C, SIGTERM and SIGHUP wait for the end of the block: for what draws, and would leave no cursor behind.

    A second one does not wait, for a terminal may take nothing. In other threads no signal raises anything anyway.

    Raises:
        KeyboardInterrupt: Ctrl-C came meanwhile; the block is done.
        SystemExit: One of the others did.
    """
    import threading

    global _held  # noqa: PLW0603 - one process has one set of signals
    if _held is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupt = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        if held and callable(interrupt):
            interrupt(number, frame)
        held.append(number)

    held = _held = []
    try:
        if callable(interrupt):  # else it is ignored, as by nohup
            signal.signal(signal.SIGINT, note)
        yield
    finally:
        _held = None
        if callable(interrupt):
            signal.signal(signal.SIGINT, interrupt)
            if signal.SIGINT in held:
                interrupt(signal.SIGINT, None)
        if held:
            raise SystemExit(_SIGNAL + held[0])


def _end(number: int, _: object) -> None:
    if _held is not None and not _held:
        _held.append(number)
        return
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

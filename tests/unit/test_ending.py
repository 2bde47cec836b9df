"""A signal that comes while Python takes an object away is neither lost nor shown as a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ollama_cli.terminal.ending import end_tidily_when_told, undisturbed, uninterrupted

CODE = """
import signal, sys, time
from ollama_cli.terminal.ending import end_tidily_when_told
end_tidily_when_told()
class Kept:
    def __del__(self):
        signal.raise_signal(int(sys.argv[1]))
        ended = "here, where what is raised is dropped"
kept = Kept()
try:
    del kept
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_while_an_object_is_taken_away_ends_the_program(number: signal.Signals) -> None:
    command = [sys.executable, "-c", CODE, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_what_must_be_done_is_done_before_an_interrupt_counts() -> None:
    done: list[None] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        done.extend(map(signal.raise_signal, [signal.SIGINT]))
    assert done == [None]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def told_to_end() -> Iterator[None]:
    """Signals end the program tidily, as in the command."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    hook = sys.unraisablehook
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    end_tidily_when_told()
    yield
    sys.unraisablehook = hook
    for number, handler in before.items():
        signal.signal(number, handler)


ENDS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit), (signal.SIGHUP, SystemExit)]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.usefixtures("told_to_end")
@pytest.mark.parametrize(("number", "ends"), ENDS)
def test_what_is_not_to_be_disturbed_is_done_before_a_signal_counts(
    number: signal.Signals, ends: type[BaseException]
) -> None:
    done: list[None] = []
    with pytest.raises(ends), undisturbed(), undisturbed():
        done.extend(map(signal.raise_signal, [number]))
    assert done == [None]
    with pytest.raises(ends):
        signal.raise_signal(number)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.usefixtures("told_to_end")
@pytest.mark.parametrize("first", [number for number, _ in ENDS])
@pytest.mark.parametrize("second", [number for number, _ in ENDS])
def test_a_second_signal_does_not_wait(first: signal.Signals, second: signal.Signals) -> None:
    done: list[None] = []
    with pytest.raises((KeyboardInterrupt, SystemExit)), undisturbed():
        done.extend(map(signal.raise_signal, [first, second]))
    assert done == [None]


@pytest.mark.usefixtures("told_to_end")
def test_another_thread_is_disturbed_by_no_signal_anyway() -> None:
    def draw() -> str:
        with undisturbed():
            return "drawn"

    with ThreadPoolExecutor() as others:
        assert others.submit(draw).result() == "drawn"
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)

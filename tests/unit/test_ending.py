"""A signal that comes while Python takes an object away is neither lost nor shown as a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from ollama_cli.terminal.ending import uninterrupted

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

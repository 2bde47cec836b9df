"""What is told while a spinner turns stands on lines of its own, and the spinner leaves nothing behind."""

from __future__ import annotations

import io
import signal
import threading
from typing import Any

import pytest
from support import until
from terminals import Window

from ollama_cli.api.work_steps import WorkStep
from ollama_cli.terminal.live_lines import LiveLines
from ollama_cli.terminal.streams import LastLines, Streams
from ollama_cli.terminal.transfer_bars import TransferBars
from ollama_cli.terminal.waiting import SignOfLife, pausing_spinner, spinner

LINK = f"https://ollama.com/connect?key={'x' * 80}"


@pytest.fixture
def window() -> Window:
    return Window()


@pytest.fixture
def streams(window: Window) -> Streams:
    return Streams(io.StringIO(), io.StringIO(), window, LastLines())


def until_drawn(window: Window, text: str) -> None:
    """Wait until the spinner has shown a text."""
    until(lambda: text in window.getvalue())


def test_what_is_told_while_a_spinner_turns_stands_above_it(streams: Streams, window: Window) -> None:
    with spinner(streams, "Waiting…") as show:
        until_drawn(window, "Waiting…")
        streams.say("Note: the clock is wrong.")
        show("Still waiting…")
        until_drawn(window, "Still waiting…")
        streams.say(LINK)
    streams.say("Done.")
    assert window.lines(200) == ["Note: the clock is wrong.", LINK, "Done."]


def test_a_spinner_that_made_room_leaves_the_lines_alone(streams: Streams, window: Window) -> None:
    with pausing_spinner(streams) as show:
        show("Checking…")
        until_drawn(window, "Checking…")
        streams.say("Note: it is tried again.")
        show(None)
        streams.say("A question?")
        show("Checking more…")
        until_drawn(window, "Checking more…")
        streams.say("Note: and again.")
    streams.say("Done.")
    assert window.lines(200) == ["Note: it is tried again.", "A question?", "Note: and again.", "Done."]


def told_in(patch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """Have Ctrl-C come at the end of a method, once."""
    real, told = getattr(owner, name), False

    def method(*args: Any) -> Any:
        nonlocal told
        done = real(*args)
        if not told and threading.current_thread() is threading.main_thread():
            told = True
            signal.raise_signal(signal.SIGINT)
        return done

    patch.setattr(owner, name, method)


def test_a_sign_of_life_that_is_stopped_as_it_begins_does_not_turn_for_ever(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_in(monkeypatch, threading.Thread, "start")
    with pytest.raises(KeyboardInterrupt), SignOfLife(streams._replace(out=Window())):
        pytest.fail("it began")
    for thread in threading.enumerate():
        if thread.name == "sign of life":
            thread.join(10)
            assert not thread.is_alive()


def test_a_sign_of_life_that_is_stopped_as_it_ends_is_taken_off(
    streams: Streams, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = SignOfLife(streams._replace(out=Window()))
    waiting.start()
    until_drawn(window, "\r ⠋\r")
    told_in(monkeypatch, threading.Condition, "__enter__")  # where its event is set
    with pytest.raises(KeyboardInterrupt):
        waiting.stop()
    assert window.getvalue().endswith("\r  \r")


def test_bars_that_are_stopped_as_they_end_give_the_cursor_back(
    streams: Streams, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = TransferBars(streams)
    step = WorkStep("pulling aa", "sha256:aa", 10, 5)
    bars.show(step.status, step)
    told_in(monkeypatch, LiveLines, "changing")
    with pytest.raises(KeyboardInterrupt):
        bars.end()
    assert window.getvalue().rfind("\x1b[?25h") > window.getvalue().rfind("\x1b[?25l")

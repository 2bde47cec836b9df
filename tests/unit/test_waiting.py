"""What is told while a spinner turns stands on lines of its own, and the spinner leaves nothing behind."""

from __future__ import annotations

import io

import pytest
from support import until
from terminals import Window

from ollama_cli.terminal.streams import LastLines, Streams
from ollama_cli.terminal.waiting import pausing_spinner, spinner

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

"""What is told while a spinner turns stands on lines of its own, and the spinner leaves nothing behind."""

from __future__ import annotations

import io

import pyte
import pytest
from support import until

from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.waiting import pausing_spinner, spinner

LINK = f"https://ollama.com/connect?key={'x' * 80}"


class Window(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def streams() -> Streams:
    return Streams(io.StringIO(), io.StringIO(), Window())


def until_drawn(streams: Streams, text: str) -> None:
    """Wait until the spinner has shown a text."""
    window = streams.err
    assert isinstance(window, Window)
    until(lambda: text in window.getvalue())


def lines(streams: Streams) -> list[str]:
    """What stands on the screen."""
    assert isinstance(streams.err, Window)
    screen = pyte.Screen(200, 20)
    pyte.Stream(screen).feed(streams.err.getvalue().replace("\n", "\r\n"))
    return [line.rstrip() for line in screen.display if line.strip()]


def test_what_is_told_while_a_spinner_turns_stands_above_it(streams: Streams) -> None:
    with spinner(streams, "Waiting…") as show:
        until_drawn(streams, "Waiting…")
        streams.say("Note: the clock is wrong.")
        show("Still waiting…")
        until_drawn(streams, "Still waiting…")
        streams.say(LINK)
    streams.say("Done.")
    assert lines(streams) == ["Note: the clock is wrong.", LINK, "Done."]


def test_a_spinner_that_made_room_leaves_the_lines_alone(streams: Streams) -> None:
    with pausing_spinner(streams) as show:
        show("Checking…")
        until_drawn(streams, "Checking…")
        streams.say("Note: it is tried again.")
        show(None)
        streams.say("A question?")
        show("Checking more…")
        until_drawn(streams, "Checking more…")
        streams.say("Note: and again.")
    streams.say("Done.")
    assert lines(streams) == ["Note: it is tried again.", "A question?", "Note: and again.", "Done."]

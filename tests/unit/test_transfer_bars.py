"""The bars of a transfer, drawn by one thread while others have something to tell."""

from __future__ import annotations

import io
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from terminals import Window

from ollama_cli.terminal.streams import LastLines, Streams
from ollama_cli.terminal.transfer_bars import TransferBars


@dataclass
class Step:
    status: str
    digest: str
    completed: int
    total: int = 1000


@pytest.fixture
def hurried_threads() -> Iterator[None]:
    """Threads take turns a thousand times as often, so that each of them is interrupted everywhere."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried_threads")
def test_no_line_is_lost_that_is_done_or_that_another_thread_prints() -> None:
    err = Window()
    streams = Streams(io.StringIO(), io.StringIO(), err, LastLines())
    bars = TransferBars(streams)
    layers = [f"layer {number:02}" for number in range(60)]
    notes = [f"note {number:03}" for number in range(300)]
    bars.show(layers[0], Step(layers[0], layers[0], 1))

    def tell() -> None:
        for note in notes:
            streams.say(note)

    teller = threading.Thread(target=tell)
    teller.start()
    for first in range(0, len(layers), 4):
        for completed in (1, 1000):
            for layer in layers[first : first + 4]:
                bars.show(layer, Step(layer, layer, completed))
    teller.join()
    bars.end()
    shown = Counter(line[:8].strip() for line in err.lines())
    assert {text: shown[text] for text in [*layers, *notes] if shown[text] != 1} == {}

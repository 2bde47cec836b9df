"""Threads that work together, where the system gives only some of them."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from ollama_cli.registry.crew import Crew


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_crew_makes_do_with_the_threads_that_there_are(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def start_some(thread: threading.Thread) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    done: list[int] = []

    def work() -> None:
        with Crew(5) as crew:
            for number in range(5):
                crew.do(partial(done.append, number))
            list(crew.looks())

    if most:
        work()
        assert sorted(done) == list(range(5))
    else:
        with pytest.raises(RuntimeError, match="start new thread"):
            work()

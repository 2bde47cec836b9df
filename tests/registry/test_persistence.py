"""How long a part of a layer is tried again: as long as something comes of it, and not much longer."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ollama_cli.errors import CliError, UnavailableError
from ollama_cli.registry.crew import Crew
from ollama_cli.registry.persistence import LONGEST_ASKED_FOR, LONGEST_WAIT, TRIES_IN_VAIN, Persistence


class Waits(threading.Event):
    """Waits for nothing, and counts the seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return False


def tried(retry_after: float | None, done: Callable[[int], int] = lambda _: 0, most: int = 100) -> tuple[int, float]:
    """How often something is tried that always fails, and how many seconds are waited meanwhile."""
    crew, waits, tries = Crew(1), Waits(), 0
    crew.stopped = waits

    def attempt() -> None:
        nonlocal tries
        tries += 1
        if tries < most:
            error = UnavailableError("busy", http_status=503)
            error.retry_after = retry_after
            raise error

    try:
        Persistence(crew, lambda: done(tries)).call(attempt)
    except CliError:
        assert tries < most
    return tries, sum(waits.seconds)


@pytest.mark.parametrize("retry_after", [None, 0.0, 1.0, 20.0, 29.0, 60.0, 61.0, 1e300])
def test_what_never_comes_is_given_up_within_a_minute_of_waiting(retry_after: float | None) -> None:
    tries, waited = tried(retry_after)
    assert tries <= TRIES_IN_VAIN
    assert waited <= LONGEST_ASKED_FOR


def test_a_wait_of_a_minute_is_waited_for_again_where_something_came_since() -> None:
    tries, waited = tried(60.0, done=lambda tries: tries, most=10)
    assert (tries, waited) == (10, 9 * 60.0)
    assert tried(None)[1] <= LONGEST_WAIT * (TRIES_IN_VAIN - 1)

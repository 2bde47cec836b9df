"""What is tried again, and what a server asks to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged, examples, odd_texts

from ollama_cli.errors import CliError, LimitError, OverloadedError, SignInError, UnavailableError
from ollama_cli.transport.clock import Clock
from ollama_cli.transport.retries import Retries, may_pass, seconds_asked_for

NOW = "Mon, 23 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("Mon, 23 Nov 2026 08:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("", None),
        ("\u0663", 3),
        ("9" * 400, None),
    ],
)
def test_seconds_asked_for(retry_after: str | None, seconds: float | None) -> None:
    assert seconds_asked_for(retry_after, NOW) == seconds


TIMES = [NOW, "Mon, 23 Nov 2026 08:00:30 -2359", "01 Jan 0001 00:00:00 -0000", "31 Dec 9999 23:59:59 +0000", "120"]
times = st.sampled_from(TIMES).flatmap(lambda time: damaged(time.encode())).map(lambda time: time.decode("latin-1"))


@examples(150)
@given(times | odd_texts, st.none() | times | odd_texts)
def test_whatever_a_header_asks_for_is_a_time_or_nothing(retry_after: str, date: str | None) -> None:
    seconds = seconds_asked_for(retry_after, date)
    assert seconds is None or 0 <= seconds < float("inf")
    Clock().mend(date, "http://127.0.0.1:1")


REFUSED = UnavailableError("x", code="connection_refused")
LOST = UnavailableError("x", code="connection_lost")
GATEWAY = UnavailableError("x", http_status=502)
OVERLOADED = UnavailableError("x", http_status=503)


@pytest.mark.parametrize(
    ("error", "passes", "also_unrepeatable"),
    [
        (REFUSED, True, True),
        (OverloadedError("x", http_status=429), True, True),
        (LOST, True, False),
        (GATEWAY, True, False),
        (OVERLOADED, True, False),
        (LimitError("x", http_status=429), False, False),
        (UnavailableError("x", http_status=500), False, False),
        (UnavailableError("x", code="timeout"), False, False),
        (UnavailableError("x", code="dns"), False, False),
        (SignInError("x", http_status=401), False, False),
        (ValueError("x"), False, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_may_pass(error: Exception, passes: bool, also_unrepeatable: bool) -> None:
    assert may_pass(error) is passes
    assert may_pass(error, repeatable=False) is also_unrepeatable


def tries(error: CliError, *, on_this_machine: bool = False, seconds_left: float = 30.0) -> int:
    """How often something is done that always fails with an error at once."""
    error.retry_after = 0.0
    count = 0

    def attempt() -> None:
        nonlocal count
        count += 1
        raise error

    with pytest.raises(CliError) as caught:
        Retries(on_this_machine=on_this_machine).call(attempt, seconds_left=seconds_left)
    assert caught.value is error
    return count


def test_tries_are_bounded() -> None:
    assert tries(OVERLOADED) == 4
    assert tries(REFUSED) == 4
    assert tries(REFUSED, on_this_machine=True) == 2
    assert tries(OVERLOADED, on_this_machine=True) == 4
    assert tries(OVERLOADED, seconds_left=0.0) == 1


def test_no_gateway_stands_before_this_machine() -> None:
    gateway = UnavailableError("x", code="gateway_error", http_status=502)
    assert tries(gateway) == 4
    assert tries(gateway, on_this_machine=True) == 1

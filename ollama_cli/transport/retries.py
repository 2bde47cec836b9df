"""A second try, and a third, where a server is overloaded or cannot be reached for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from ollama_cli.errors import CliError, OverloadedError

if TYPE_CHECKING:
    from tenacity import RetryCallState

TRIES = 4
"""How often a request is sent, at most."""

TRIES_ON_THIS_MACHINE = 2
"""How often a connection is tried that this machine refuses: what does not listen here will not do so by itself."""

LONGEST_WAIT = 30.0
"""Seconds from the first failure after which no further try begins, whatever the server asks for."""

_NOT_CONNECTED, _LOST = "connection_refused", "connection_lost"
_Answer = TypeVar("_Answer")


class Retries:
    """Tries requests again that failed before anything of an answer came.

    The waits grow, are spread by chance, and are what the server asks for where it does.

    Args:
        on_this_machine: Whether the server is. Then no gateway stands before it whose failure would pass.
        tell: Told of each further try in a sentence; None where nobody listens.
    """

    def __init__(self, *, on_this_machine: bool = False, tell: Callable[[str], None] | None = None) -> None:
        self._on_this_machine = on_this_machine
        self._tell = tell

    def call(
        self, attempt: Callable[[], _Answer], *, repeatable: bool = True, seconds_left: float = LONGEST_WAIT
    ) -> _Answer:
        """Do something, again where it fails in a way that may pass.

        Args:
            attempt: Sends the request, signed anew each time.
            repeatable: Whether it does no harm to do it twice, where the first time may have worked unseen.
            seconds_left: How long a further try may be waited for.

        Raises:
            CliError: The error of the last try.
        """
        try:
            return attempt()
        except CliError as error:
            if not self._worth_it(error, repeatable=repeatable):
                raise
            first = error
        return self._again(first, attempt, repeatable=repeatable, seconds=min(LONGEST_WAIT, seconds_left))

    def _again(self, first: CliError, attempt: Callable[[], _Answer], *, repeatable: bool, seconds: float) -> _Answer:
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay

        tries = TRIES_ON_THIS_MACHINE if self._on_this_machine and first.code == _NOT_CONNECTED else TRIES
        failed = [first]

        def attempt_again() -> _Answer:
            if failed:  # the first try was made already
                raise failed.pop()
            return attempt()

        retrying = Retrying(
            retry=retry_if_exception(lambda error: self._worth_it(error, repeatable=repeatable)),
            wait=_seconds_to_wait,
            stop=stop_after_attempt(tries) | stop_before_delay(seconds),
            before_sleep=lambda state: self._announce(state, tries),
            reraise=True,
        )
        return retrying(attempt_again)

    def _worth_it(self, error: BaseException, *, repeatable: bool) -> bool:
        gateway = isinstance(error, CliError) and error.code == "gateway_error"
        return may_pass(error, repeatable=repeatable) and not (gateway and self._on_this_machine)

    def _announce(self, state: RetryCallState, tries: int) -> None:
        if self._tell is None:
            return
        error = _error_of(state)
        what = "Server overloaded" if _is_overload(error) else error.message.rstrip(".")
        wait = f"in {state.upcoming_sleep:.1f} s".replace(".0 s", " s") if state.upcoming_sleep else "now"
        self._tell(f"{what}; trying again {wait} ({state.attempt_number} of {tries - 1}).")


def may_pass(error: BaseException, *, repeatable: bool = True) -> bool:
    """Whether the same request may succeed a moment later.

    Args:
        error: What it failed with.
        repeatable: Whether it may be sent twice although the first may have been carried out.
    """
    if not isinstance(error, CliError):
        return False
    if error.code == _NOT_CONNECTED or isinstance(error, OverloadedError):
        return True
    return repeatable and (
        error.code == _LOST or error.http_status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}
    )


def seconds_asked_for(retry_after: str | None, date: str | None = None) -> float | None:
    """The seconds that a ``Retry-After`` asks to wait, or None where it says nothing that can be read.

    Args:
        retry_after: The header: seconds, or a date.
        date: The server's own ``Date``, from which the other is counted; else our clock is believed.
    """
    if retry_after is None:
        return None
    try:
        seconds = float(int(retry_after)) if retry_after.strip().isdecimal() else _seconds_until(retry_after, date)
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds)


def _seconds_until(moment: str, now: str | None) -> float:
    start = parsedate_to_datetime(now).timestamp() if now else time.time()
    return parsedate_to_datetime(moment).timestamp() - start


def _seconds_to_wait(state: RetryCallState) -> float:
    from tenacity import wait_exponential, wait_random

    error = _error_of(state)
    if error.retry_after is not None:
        return error.retry_after + wait_random(0, error.retry_after / 4)(state)
    first = 0.5 if error.http_status else 0.2  # a connection comes back sooner than a crowd disperses
    return wait_exponential(multiplier=first)(state) + wait_random(0, first)(state)


def _error_of(state: RetryCallState) -> CliError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, CliError):
        raise TypeError(f"a try failed with {error!r}")
    return error


def _is_overload(error: CliError) -> bool:
    return isinstance(error, OverloadedError) or error.http_status == HTTPStatus.SERVICE_UNAVAILABLE

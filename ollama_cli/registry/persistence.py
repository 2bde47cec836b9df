"""Trying again for as long as something comes of it: a large part may take hours, and several connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ollama_cli.errors import CliError, OverloadedError, UnavailableError

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from ollama_cli.registry.crew import Crew

TRIES_IN_VAIN = 6
"""How often in a row something is tried of which nothing comes."""

LONGEST_WAIT = 16.0
"""Seconds before a further try, unless the server asks for more."""

LONGEST_ASKED_FOR = 60.0
"""Seconds that a server may have us wait in vain, in all; a longer wait is left to whoever runs the command."""

_FIRST_WAIT = 0.25
_LASTING = frozenset({"tls", "proxy"})


class Persistence:
    """Does something again after it failed in a way that may pass.

    Args:
        crew: Whose work it is; once that is stopped, nothing is tried again.
        done: How much has come of it.
    """

    def __init__(self, crew: Crew, done: Callable[[], int]) -> None:
        self._crew = crew
        self._done = done
        self._seen = done()
        self._in_vain = 0
        self._asked_for = 0.0

    def call(self, attempt: Callable[[], None]) -> None:
        """Do it.

        Raises:
            CliError: What the last try failed with.
            StoppedError: The crew is stopped.
        """
        from tenacity import Retrying, retry_if_exception, sleep_using_event

        def checked() -> None:
            self._crew.check()
            attempt()

        retrying = Retrying(
            retry=retry_if_exception(_may_pass),
            after=self._note,
            stop=lambda _: self._in_vain >= TRIES_IN_VAIN or self._asked_for > LONGEST_ASKED_FOR,
            wait=self._seconds,
            sleep=sleep_using_event(self._crew.stopped),
            reraise=True,
        )
        retrying(checked)

    def _note(self, state: RetryCallState) -> None:
        done, error = self._done(), _error_of(state)
        if done > self._seen:
            self._seen, self._in_vain, self._asked_for = done, 0, 0.0
        self._in_vain += 1
        self._asked_for += (error.retry_after or 0.0) if error else 0.0

    def _seconds(self, state: RetryCallState) -> float:
        from random import uniform

        error = _error_of(state)
        if error is not None and error.retry_after is not None:
            return error.retry_after
        if error is not None and error.code == "timeout":  # it has waited long enough
            return 0.0
        longest: float = min(LONGEST_WAIT, _FIRST_WAIT * 2**self._in_vain)
        return longest * uniform(0.5, 1.0)  # noqa: S311 - no secret


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, UnavailableError | OverloadedError) and error.code not in _LASTING


def _error_of(state: RetryCallState) -> CliError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, CliError) else None

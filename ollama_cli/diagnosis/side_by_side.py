"""Checks made side by side, each for so long and no longer: what hangs keeps neither the others waiting nor us."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from ollama_cli.diagnosis.finding import NAMES, Finding, fault, not_checked
from ollama_cli.errors import CliError, UnavailableError

Report = Callable[[Finding], None]
Show = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Family:
    """Checks that are made one after the other, for each needs what the one before found.

    Attributes:
        checks: Their names.
        work: Makes them and reports each. An error that it raises is the fault of the first check that is not reported
            then; those after it were not checked.
    """

    checks: tuple[str, ...]
    work: Callable[[Report], Any]


@dataclass(frozen=True)
class Result:
    """What became of a family.

    Attributes:
        findings: One for each of its checks, by their names.
        value: What the work gave, or None where it did not come to its end.
    """

    findings: Mapping[str, Finding]
    value: Any = None


class _Running:
    """A family at work, in a thread that does not keep the process alive."""

    def __init__(self, family: Family, tell: Callable[[], None]) -> None:
        self._family = family
        self._tell = tell
        self._lock = threading.Lock()
        self._reported: dict[str, Finding] = {}
        self.result: Result | None = None
        threading.Thread(target=self._work, name="check", daemon=True).start()

    @property
    def open_checks(self) -> list[str]:
        """The checks that are not reported yet."""
        with self._lock:
            reported = set(self._reported) if self.result is None else set(self._family.checks)
        return [check for check in self._family.checks if check not in reported]

    def _work(self) -> None:
        value, error = None, None
        try:
            value = self._family.work(self._report)
        except CliError as failed:
            error = failed
        except Exception as failed:  # noqa: BLE001 - what fails in one check is no reason not to make the others
            error = CliError(
                f"Something went wrong that should not ({type(failed).__name__}).",
                hint="This is a fault of ollama-cli. Please report it.",
            )
        self.end(error, value)

    def _report(self, finding: Finding) -> None:
        with self._lock:
            self._reported[finding.check] = finding
        self._tell()

    def end(self, error: CliError | None, value: Any = None) -> None:  # noqa: ANN401 - whatever the work gives
        """Take what is reported for the result; whatever comes later counts for nothing."""
        with self._lock:
            if self.result is not None:
                return
            found = dict(self._reported)
            for check in self._family.checks:
                if check not in found and error is not None:
                    found[check], error = fault(check, error), None
            culprit = next((name for name, finding in found.items() if finding.error is not None), "place")
            missing = [check for check in self._family.checks if check not in found]
            self.result = Result(found | {check: not_checked(check, culprit) for check in missing}, value)
        self._tell()


def side_by_side(families: Sequence[Family], *, seconds: float, show: Show) -> list[Result]:
    """Make checks at the same time.

    Args:
        families: The checks.
        seconds: For how long; what has not ended by then is a fault.
        show: Told, by their names for a person, which checks are still being made.

    Returns:
        What became of each family, in their order.
    """
    news: SimpleQueue[None] = SimpleQueue()
    running = [_Running(family, lambda: news.put(None)) for family in families]
    end = time.monotonic() + seconds
    while any(one.result is None for one in running):
        show([NAMES[check] for one in running for check in one.open_checks])
        try:
            news.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            for one in running:
                one.end(_too_slow(seconds))
    return [one.result for one in running if one.result is not None]


def _too_slow(seconds: float) -> UnavailableError:
    return UnavailableError(
        f"It did not come to an end within {seconds:g} seconds.",
        hint="Something that it waits for hangs: a network, a file on another machine, or a keyring.",
        code="timed_out",
    )

"""What became of each key that was to be revoked: a line each, or one JSON object; also where it was cut short."""

from __future__ import annotations

import json
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ollama_cli.account.revocation import End, Result
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_cli.account.revocation import Target
    from ollama_cli.terminal.streams import Streams

_LEFT = {
    End.INTERRUPTED: "interrupted; whether it is off the account is not known.",
    End.NOT_TRIED: "not tried.",
}


class RevocationReport:
    """Tells what became of keys, each at once; with ``--json`` all at the end.

    As a context manager it also tells of the keys that were not reached when its block is left early.

    Args:
        streams: Where it goes.
        targets: The keys, in the order in which they are revoked.
        as_json: Whether a script reads it.
    """

    def __init__(self, streams: Streams, targets: Sequence[Target], *, as_json: bool) -> None:
        self._streams = streams
        self._targets = targets
        self._as_json = as_json
        self._results: list[Result] = []

    def add(self, result: Result) -> None:
        """Tell what became of the next key."""
        self._results.append(result)
        alone_and_failed = len(self._targets) == 1 and result.error is not None  # the error says it all
        if not self._as_json and not alone_and_failed:
            self._streams.answer(f"{result.target.fingerprint}: {clean_line(_sentence(result))}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, BrokenPipeError):
            left = self._targets[len(self._results) :]
            for number, target in enumerate(left):
                self.add(Result(target, End.NOT_TRIED if number else End.INTERRUPTED))
        if self._as_json:
            revoked = not any(_is_left(result) for result in self._results)
            self._streams.answer(json.dumps({"revoked": revoked, "keys": [_as_json(each) for each in self._results]}))

    @property
    def signed_out(self) -> bool:
        """Whether this device's own key was forgotten."""
        return any(result.forgotten and result.target.own for result in self._results)

    def raise_first_failure(self) -> None:
        """Raise the error of the first key that failed, if one did.

        Raises:
            CliError: It; where there are several keys, with how many were not revoked.
        """
        failed = [result.error for result in self._results if result.error is not None]
        if not failed:
            return
        first = failed[0]
        if len(self._targets) > 1:
            left = sum(_is_left(result) for result in self._results)
            first.message = f"{left} of {len(self._targets)} keys were not revoked. The first failure: {first.message}"
        raise first


def _is_left(result: Result) -> bool:
    """Whether a key was not taken off; the new key of a rotation may never have been on an account."""
    return result.end is not End.TAKEN_OFF and not (result.forgotten and result.error is None)


def _sentence(result: Result) -> str:
    if result.end in _LEFT:
        return _LEFT[result.end]
    if result.error is not None:
        return result.error.message
    if result.end is End.NOT_SIGNED_IN:
        return "was on no account; forgotten here."
    return "revoked, and forgotten here." if result.forgotten else "revoked."


def _as_json(result: Result) -> dict[str, Any]:
    error = result.error.as_json()["error"] if result.error is not None else None
    return {
        "fingerprint": result.target.fingerprint,
        "public_key": result.target.public_key,
        "this_device": result.target.own,
        "outcome": result.end,
        "forgotten": result.forgotten,
        "error": error,
    }

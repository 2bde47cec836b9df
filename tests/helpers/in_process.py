"""The command within this process, on real sockets and real files, with crashes and with a server that can fail.

What a state machine needs that runs hundreds of commands: a process for each would take minutes. A crash is an
exception that nothing catches, raised at a seam: where a store or the list is written, where a request is sent, and
where its answer has come. Everything else is what the command does by itself.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ollama_cli.credentials.file_store import FileStore
from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.main import main
from ollama_cli.sandbox.failing import Failing
from ollama_cli.sandbox.faults import FaultPlan, parse_fault
from ollama_cli.sandbox.server import EmbeddedSandbox

SEAMS: tuple[tuple[type, str], ...] = (
    (FileStore, "put"),
    (FileStore, "delete"),
    (CredentialIndex, "_write"),
    (httpx.Client, "send"),
)
"""Where a crash may come, before and after."""


class CrashError(BaseException):
    """The process ends here."""


class Crashes:
    """Raises at the n-th seam, once it is armed.

    Args:
        patch: Puts the seams in place.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._left = 0
        for owner, name in SEAMS:
            patch.setattr(owner, name, self._around(getattr(owner, name)))

    def arm(self, seam: int) -> None:
        """Crash at the n-th seam from now on; 0 is never."""
        self._left = seam

    def _around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def crashing(*args: Any, **options: Any) -> Any:
            self._pass()
            result = real(*args, **options)
            self._pass()
            return result

        return crashing

    def _pass(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise CrashError


def fail(cloud: EmbeddedSandbox, *faults: str) -> None:
    """Have a sandbox that runs already fail from now on; without a fault it does not."""
    app: Any = cloud._prepared.app
    assert isinstance(app._app, Failing)
    app._app._plan = FaultPlan(tuple(parse_fault(fault) for fault in faults))


def without_waits(patch: pytest.MonkeyPatch) -> None:
    """Have a request that is tried again not wait before."""
    patch.setattr("ollama_cli.transport.retries._seconds_to_wait", lambda _: 0.0)


@dataclass(frozen=True)
class Done:
    """How a command ended.

    Attributes:
        status: Its exit status; None is a crash.
        out: What it printed.
        said: What it said on stderr.
    """

    status: int | None
    out: str
    said: str


class _Terminal(io.TextIOWrapper):
    """A stream that says to be a terminal."""

    def isatty(self) -> bool:
        return True


def run_here(
    environment: dict[str, str], *args: str, stdin: Path = Path(os.devnull), at_terminal: bool = False
) -> Done:
    """Run a command line in this process to its end, with an environment and streams of its own.

    Args:
        environment: What stands in the environment.
        args: The command line.
        stdin: What is read.
        at_terminal: Whether what is printed and said goes to a terminal, which is not one that draws: see TERM.
    """
    kind = _Terminal if at_terminal else io.TextIOWrapper
    out, err = (kind(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, stdin.open(encoding="utf-8") as given, _signals_kept():
        for name in list(os.environ):
            if name.startswith(("OLLAMA", "XDG_")):
                patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        for name, stream in {"stdin": given, "stdout": out, "stderr": err}.items():
            patch.setattr(sys, name, stream)
        try:
            status: int | None = main(args)
        except CrashError:
            status = None
    return Done(status, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "replace")  # a pipe gets what a server said as it is


@contextmanager
def _signals_kept() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)

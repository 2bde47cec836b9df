"""The three standard streams, and what each of them is."""

from __future__ import annotations

import io
import os
import stat
import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True)
class Streams:
    """Standard input, output and error.

    Answers go to ``out``; everything else, the conversation with a person, goes to ``err``.

    Attributes:
        color: Whether escape sequences may colour what a terminal shows.
    """

    input: TextIO
    out: TextIO
    err: TextIO
    color: bool = True

    @classmethod
    def standard(cls, *, color: bool) -> Streams:
        """The process's own streams, speaking UTF-8 whatever the locale says."""
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="replace")
        return cls(_present(sys.stdin), _present(sys.stdout), _present(sys.stderr), color)

    @property
    def interactive(self) -> bool:
        """Whether a person is there to ask: stdin and stderr are terminals."""
        return self.input.isatty() and self.err.isatty()

    def piped_input(self) -> str:
        """All that is piped or redirected into stdin; nothing where stdin is a terminal or a device."""
        try:
            mode = os.fstat(self.input.fileno()).st_mode
        except (OSError, ValueError):
            return ""
        return "" if stat.S_ISCHR(mode) else self.input.read()

    def say(self, text: str) -> None:
        """Tell a person something, on stderr, as a line of its own."""
        self.err.write(f"{text}\n")
        self.err.flush()

    def answer(self, text: str) -> None:
        """Print a line of the answer, on stdout."""
        self.out.write(f"{text}\n")
        self.out.flush()


def _present(stream: TextIO | None) -> TextIO:
    """A stream that was closed before we started is an empty one."""
    return stream if stream is not None else io.StringIO()

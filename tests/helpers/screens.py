"""A terminal for tests: the command in a pseudo-terminal, and the screen that a person would see."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pexpect
import pyte
from support import COMMAND, Cli

SECONDS = 60


class Terminal:
    """The command at a terminal.

    Args:
        cli: Its surroundings.
        args: Its arguments.
        columns: The terminal's width.
        rows: Its height.
        env: More of its environment.
        cwd: Where it starts.
    """

    def __init__(
        self,
        cli: Cli,
        *args: str,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.columns = columns
        self.screen = pyte.HistoryScreen(columns, rows, history=5000)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = b""
        terminal = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.child: Any = pexpect.spawn(
            COMMAND,
            list(args),
            env=cli.environment | terminal | dict(env or {}),
            dimensions=(rows, columns),
            timeout=SECONDS,
            cwd=str(cwd) if cwd is not None else None,
        )

    def read(self) -> bool:
        """Take what the command has written; False once it has ended."""
        try:
            data = self.child.read_nonblocking(65536, SECONDS)
        except pexpect.EOF:
            return False
        self.sent += data
        self._stream.feed(data)
        return True

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Read until something is so."""
        while not reached():
            try:
                alive = self.read()
            except pexpect.TIMEOUT:
                alive = False
            assert alive or reached(), f"waited for {what}; the screen was:\n{self.text}"

    def until_text(self, pattern: str) -> None:
        """Read until a pattern stands on the screen."""
        self.until(lambda: re.search(pattern, self.text) is not None, pattern)

    def until_line(self, text: str) -> None:
        """Read until the cursor's line is this."""
        self.until(lambda: self.line == text, text)

    def until_prompt(self) -> None:
        """Read until an empty line waits for the person."""
        self.until(lambda: self.line in {">>>", "..."} or "Write a message" in self.line, "the prompt")

    def resize(self, columns: int) -> None:
        """Make the window wider or narrower, as a terminal that does not move what it shows."""
        self.columns = columns
        self.screen.resize(columns=columns)
        self.child.setwinsize(self.screen.lines, columns)

    def type(self, keys: str) -> None:
        """Type."""
        self.child.send(keys)

    def end(self) -> int:
        """Read to the end; the exit status."""
        while self.read():
            pass
        self.child.close()
        assert self.child.signalstatus is None, f"ended by signal {self.child.signalstatus}"
        status: int = self.child.exitstatus
        return status

    @property
    def line(self) -> str:
        """The line in which the cursor stands."""
        return str(self.screen.display[self.screen.cursor.y]).rstrip()

    @property
    def lines(self) -> list[str]:
        """The screen's lines, with those that have scrolled away."""
        gone = ["".join(row[column].data for column in range(self.columns)) for row in self.screen.history.top]
        return [line.rstrip() for line in [*gone, *self.screen.display]]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines).rstrip()


class Window(io.StringIO):
    """A terminal within this process, for what draws on a stream."""

    def isatty(self) -> bool:
        """Whether it is one."""
        return True

    def lines(self, columns: int = 80) -> list[str]:
        """The lines that stand there, with those that have scrolled away, but for empty ones."""
        screen = pyte.HistoryScreen(columns, 24, history=5000)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        gone = ["".join(row[column].data for column in range(columns)) for row in screen.history.top]
        return [line.rstrip() for line in [*gone, *screen.display] if line.strip()]

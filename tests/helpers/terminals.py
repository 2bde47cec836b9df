"""A terminal with a person at it: the installed command in a pseudo-terminal.

``pexpect_child`` gives what is printed, one expectation after the other, whatever becomes of it on the screen.
``Terminal`` has the screen that a person would see, and what scrolled off it. ``Window`` is such a screen within this
process.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pexpect
import pyte
from support import COMMAND, SECONDS, Cli

LINK = re.compile(r"http://127\.0\.0\.1:\d+/connect\?name=[^&\s]+&key=[\w-]+")
ROWS, WIDE, USUAL = 24, 200, 80


def pexpect_child(device: Cli, *args: str, lines: int = ROWS, columns: int = WIDE) -> pexpect.spawn[str]:
    """Start the command at a terminal; all that it prints is also kept in ``logfile_read``."""
    child = pexpect.spawn(
        COMMAND,
        list(args),
        env={"TERM": "xterm-256color", **device.environment},
        dimensions=(lines, columns),
        encoding="utf-8",
        timeout=30,
    )
    child.logfile_read = io.StringIO()
    return child


def printed(child: pexpect.spawn[str]) -> str:
    """Everything that was printed so far, as it came over the wire."""
    assert isinstance(child.logfile_read, io.StringIO)
    return child.logfile_read.getvalue()


def expect_link(child: pexpect.spawn[str]) -> str:
    child.expect(LINK)
    assert isinstance(child.after, str)
    return child.after


def finish(child: pexpect.spawn[str]) -> tuple[int | None, str]:
    """Wait for the end; its status, and what was printed since the last expectation."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before or ""


class Terminal:
    """The command at a terminal.

    Args:
        cli: Its surroundings.
        args: Its arguments.
        columns: The terminal's width.
        rows: Its height.
        env: More of its environment.
        cwd: Where it starts.
        command: The program, where it is one that starts the command.
    """

    def __init__(
        self,
        cli: Cli,
        *args: str,
        columns: int = USUAL,
        rows: int = ROWS,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        command: str = COMMAND,
    ) -> None:
        self.columns = columns
        self.screen = _long_screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = b""
        terminal = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.child: Any = pexpect.spawn(
            command,
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
        return _lines(self.screen)

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines).rstrip()


class Window(io.StringIO):
    """A terminal within this process, for what draws on a stream."""

    def isatty(self) -> bool:
        """Whether it is one."""
        return True

    def lines(self, columns: int = USUAL) -> list[str]:
        """The lines that stand there, with those that have scrolled away, but for empty ones."""
        screen = _long_screen(columns, ROWS)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        return [line for line in _lines(screen) if line]


def screen(text: str, lines: int, columns: int) -> pyte.Screen:
    """What a terminal shows once a text was printed on it."""
    shown = pyte.Screen(columns, lines)
    pyte.Stream(shown).feed(text)
    return shown


def _long_screen(columns: int, rows: int) -> pyte.HistoryScreen:
    """A screen that keeps what scrolls off it."""
    return pyte.HistoryScreen(columns, rows, history=5000)


def _lines(shown: pyte.HistoryScreen) -> list[str]:
    """The lines of a screen, with those that have scrolled away."""
    gone = ["".join(row[column].data for column in range(shown.columns)) for row in shown.history.top]
    return [line.rstrip() for line in [*gone, *shown.display]]

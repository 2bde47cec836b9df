"""A terminal with a person at it: the installed command in a pseudo-terminal, and what then stands on the screen."""

from __future__ import annotations

import io
import re

import pexpect
import pyte
from support import COMMAND, Cli

LINK = re.compile(r"http://127\.0\.0\.1:\d+/connect\?name=[^&\s]+&key=[\w-]+")
LINES, COLUMNS = 24, 200


def terminal(device: Cli, *args: str, lines: int = LINES, columns: int = COLUMNS) -> pexpect.spawn[str]:
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


def screen(text: str, lines: int, columns: int) -> pyte.Screen:
    """What a terminal shows once a text was printed on it."""
    shown = pyte.Screen(columns, lines)
    pyte.Stream(shown).feed(text)
    return shown

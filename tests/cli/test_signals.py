"""A signal that comes just as something begins or ends: the terminal has its cursor and modes, and no file is left."""

from __future__ import annotations

import signal
import termios
from pathlib import Path

import pytest
from chatting import SHOW, leave
from routed_server import routed_server
from support import Cli
from terminals import Terminal

PULL = {
    "method": "POST",
    "path": "/api/pull",
    "ndjson": [
        {"status": "pulling manifest"},
        *({"status": "pulling aa", "digest": "sha256:aa", "total": 10, "completed": done} for done in (0, 5, 10)),
        {"status": "success"},
    ],
}

TOLD_AT_THE_CURSOR = """
import os, signal
from rich.console import Console

def show_cursor(console, show=True):
    if show and os.environ["AT"] == "shown":
        signal.raise_signal(int(os.environ["NUMBER"]))
    done = show_at_once(console, show)
    if not show and os.environ["AT"] == "hidden":
        signal.raise_signal(int(os.environ["NUMBER"]))
    return done

show_at_once, Console.show_cursor = Console.show_cursor, show_cursor
"""

TOLD_AT_THE_MODES = """
import os, signal, termios

def set_modes(*arguments):
    set_modes_at_once(*arguments)
    if os.environ["AT"] == "taken":
        os.environ["AT"] = ""
        signal.raise_signal(signal.SIGTERM)

def set_handler(number, handler):
    before = set_handler_at_once(number, handler)
    if number == signal.SIGCONT and handler == signal.SIG_DFL and os.environ["AT"] == "given back":
        signal.raise_signal(signal.SIGTERM)
    return before

set_modes_at_once, termios.tcsetattr = termios.tcsetattr, set_modes
set_handler_at_once, signal.signal = signal.signal, set_handler
"""


def has_cursor(terminal: Terminal) -> bool:
    return terminal.sent.rfind(b"\x1b[?25h") > terminal.sent.rfind(b"\x1b[?25l")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", ["hidden", "shown"])
def test_bars_leave_a_cursor(cli: Cli, tmp_path: Path, moment: str, number: signal.Signals) -> None:
    (tmp_path / "sitecustomize.py").write_text(TOLD_AT_THE_CURSOR)
    with routed_server([PULL]) as server:
        environment = {"OLLAMA_HOST": server.url, "PYTHONPATH": str(tmp_path), "AT": moment, "NUMBER": f"{number:d}"}
        terminal = Terminal(cli, "pull", "tiny", env=environment)
        assert terminal.end() == 128 + number
    assert b"\x1b[?25l" in terminal.sent
    assert has_cursor(terminal)
    assert "Traceback" not in terminal.text


def test_a_spinner_leaves_a_cursor(device: Cli, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(TOLD_AT_THE_CURSOR)
    environment = {"PYTHONPATH": str(tmp_path), "AT": "hidden", "NUMBER": f"{signal.SIGTERM:d}"}
    terminal = Terminal(device, "--insecure-storage", "signin", env=environment)
    assert terminal.end() == 143
    assert b"\x1b[?25l" in terminal.sent
    assert has_cursor(terminal)


@pytest.mark.parametrize("moment", ["taken", "given back"])
def test_a_chat_gives_the_terminal_back(cli: Cli, tmp_path: Path, moment: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(TOLD_AT_THE_MODES)
    with routed_server([SHOW]) as server:
        environment = {"OLLAMA_HOST": server.url, "PYTHONPATH": str(tmp_path), "AT": moment}
        terminal = Terminal(cli, "run", "tiny", env=environment)
        before = termios.tcgetattr(terminal.child.child_fd)
        if moment == "given back":
            terminal.until_prompt()
            terminal.type("\x04")
        while terminal.read():
            pass
        assert termios.tcgetattr(terminal.child.child_fd) == before
        assert terminal.end() == 143


INTERRUPTED_AS_A_LOOP_BEGINS = """
import functools, os, signal

def set_handler(number, handler):
    before = set_handler_at_once(number, handler)
    if number == signal.SIGINT and isinstance(handler, functools.partial) and os.environ.pop("ONCE", ""):
        signal.raise_signal(signal.SIGINT)  # which asyncio forgets then
    return before

set_handler_at_once, signal.signal = signal.signal, set_handler
"""


def test_ctrl_c_as_a_line_of_a_chat_begins_is_one_in_that_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_AS_A_LOOP_BEGINS)
    with routed_server([SHOW]) as server:
        environment = {"OLLAMA_HOST": server.url, "PYTHONPATH": str(tmp_path), "ONCE": "1"}
        terminal = Terminal(cli, "run", "tiny", env=environment)
        terminal.until_text("ends the chat")
        assert leave(terminal) == 0
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize("command", ["serve", "sandbox"])
def test_ctrl_c_as_a_server_begins_ends_it(cli: Cli, tmp_path: Path, command: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_AS_A_LOOP_BEGINS)
    done = cli(command, "--port", "0", env={"PYTHONPATH": str(tmp_path), "ONCE": "1"})
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr


TOLD_AS_A_FILE_IS_MADE = """
import signal, tempfile

def make(*args, **options):
    made = make_at_once(*args, **options)
    if options.get("suffix") == ".part":
        signal.raise_signal(signal.SIGTERM)
    return made

make_at_once, tempfile.mkstemp = tempfile.mkstemp, make
"""


@pytest.mark.parametrize(
    "command",
    [["run", "gpt-oss:120b-cloud", "hi", "--output"], ["keys", "export", "--yes", "--output"]],
    ids=["run", "keys export"],
)
def test_no_file_is_left_that_was_only_made(signed_in: Cli, tmp_path: Path, command: list[str]) -> None:
    hooks, folder = tmp_path / "hooks", tmp_path / "folder"
    hooks.mkdir()
    folder.mkdir()
    (hooks / "sitecustomize.py").write_text(TOLD_AS_A_FILE_IS_MADE)
    done = signed_in(*command, str(folder / "file"), env={"PYTHONPATH": str(hooks)})
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")
    assert not list(folder.iterdir())

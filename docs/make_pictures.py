"""Draws the terminal sessions that the README shows, from the real program: ``python docs/make_pictures.py``.

Each session is typed at a pseudo-terminal, and what the program answers is drawn as it came.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pexpect
from rich.console import Console
from rich.text import Text

COMMAND = Path(sys.executable).with_name("ollama-cli")
PICTURES = Path(__file__).with_name("pictures")
WIDTH = 92

SESSIONS = {
    "first-answer": ['--sandbox run gpt-oss:120b-cloud "Why is the sky blue?"'],
    "sign-in-and-out": ["--sandbox signin", "--sandbox status", "--sandbox signout", "--sandbox status"],
    "errors": ["run gpt-oss:120b-cloud:local hi", "--sandbox run no-such-model hi", "run tiny hi"],
}


def shown(command_line: str, environment: dict[str, str]) -> str:
    """What a terminal gets from one command."""
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", f"{COMMAND} {command_line}"],
        env=environment,
        dimensions=(200, WIDTH),
        encoding="utf-8",
        timeout=60,
    )
    child.expect(pexpect.EOF)
    child.close()
    return (child.before or "").replace("\r\n", "\n")


def draw(name: str, command_lines: list[str]) -> None:
    """Type a session and write its picture."""
    with tempfile.TemporaryDirectory() as home, Path(os.devnull).open("w") as nowhere:
        environment = {"HOME": home, "OLLAMA_CLI_HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        environment |= {"TERM": "xterm-256color"}
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        for command_line in command_lines:
            console.print(Text.assemble(("$ ", "bold green"), (f"ollama-cli {command_line}", "bold")))
            console.print(Text.from_ansi(shown(command_line, environment).replace(home, "~/.ollama-cli")))
        PICTURES.mkdir(exist_ok=True)
        picture = console.export_svg(title="ollama-cli", unique_id=name)
        (PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    for session, lines in SESSIONS.items():
        draw(session, lines)

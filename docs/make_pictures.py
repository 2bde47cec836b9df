"""Draws the terminal sessions that the pages show, from the real program: ``python docs/make_pictures.py [NAME…]``.

Each session is typed at a pseudo-terminal, and what the program answers is drawn as it came. With ``--check`` the words
of each picture are compared with what the program says today, but for what is another in each session.
"""

from __future__ import annotations

import html
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import pexpect
import pyte
from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text

COMMAND = Path(sys.executable).with_name("ollama-cli")
PICTURES = Path(__file__).with_name("pictures")
WIDTH = 92

SORT = '--sandbox run --markdown qwen3-coder:480b-cloud "How do I sort words?"'


@dataclass(frozen=True)
class Session:
    """What is typed, and where.

    Attributes:
        command_lines: The commands.
        theme: The terminal's background and colours.
        environment: What its environment has beside the usual.
        typed: The lines that are typed into the last command, a chat, each once it waits for one.
    """

    command_lines: tuple[str, ...]
    theme: TerminalTheme = SVG_EXPORT_THEME
    environment: Mapping[str, str] = field(default_factory=dict)
    typed: tuple[str, ...] = ()


SESSIONS = {
    "first-answer": Session(('--sandbox run gpt-oss:120b-cloud "Why is the sky blue?"',)),
    "sign-in-and-out": Session(("--sandbox signin", "--sandbox status", "--sandbox signout", "--sandbox status")),
    "errors": Session(("run gpt-oss:120b-cloud:local hi", "--sandbox run no-such-model hi", "stauts")),
    "markdown-dark": Session((SORT,)),
    "markdown-light": Session((SORT,), DEFAULT_TERMINAL_THEME),
    "markdown-no-color": Session((SORT,), environment={"NO_COLOR": "1"}),
    "markdown-dumb": Session((SORT,), environment={"TERM": "dumb"}),
    "chat": Session(
        ("--sandbox run qwen3-coder:480b-cloud",),
        typed=("How do I sort words?", "/tokens", "/set system Be brief.", "/?", "/bye"),
    ),
}
WAITING = "Write a message"

ANEW = re.compile(r"\r(?:\x1b\[(\d+)A)?\x1b\[J")
"""How the program begins to write its last rows anew: to the first of them, and all below it off."""


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
    return final((child.before or "").replace("\r\n", "\n"))


def final(text: str) -> str:
    """What stands there in the end, of a text whose last rows were written anew."""
    first, *others = ANEW.split(text)
    for up, more in zip(others[::2], others[1::2], strict=True):
        rows = first.split("\n")
        first = "\n".join([*rows[: len(rows) - 1 - int(up or 0)], more])
    return first


def chatted(command_line: str, environment: dict[str, str], typed: tuple[str, ...]) -> Text:
    """What stands on the screen after a chat, with what has scrolled away."""
    screen = pyte.HistoryScreen(WIDTH, 50, history=1000)
    stream = pyte.Stream(screen)
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", f"{COMMAND} {command_line}"],
        env={**environment, "PROMPT_TOOLKIT_NO_CPR": "1"},
        dimensions=(50, WIDTH),
        encoding="utf-8",
        timeout=60,
    )
    before = ""
    for line in typed:
        while WAITING not in screen.display[screen.cursor.y] or before not in _shown(screen):
            stream.feed(child.read_nonblocking(4096, 60))
        child.send(f"{line}\r")
        before = line
    child.expect(pexpect.EOF)
    stream.feed(child.before or "")
    child.close()
    return Text("\n").join(_row(row) for row in _rows(screen))


def _rows(screen: pyte.HistoryScreen) -> list[Mapping[int, Char]]:
    return [*screen.history.top, *(screen.buffer[row] for row in range(screen.cursor.y + 1))]


def _shown(screen: pyte.HistoryScreen) -> str:
    return "\n".join(_row(row).plain for row in _rows(screen))


def _row(row: Mapping[int, Char]) -> Text:
    text = Text()
    for column in range(WIDTH):
        character = row[column]
        color = _COLORS.get(character.fg, None if character.fg == "default" else f"#{character.fg}")
        text.append(
            character.data,
            Style(color=color, bold=character.bold, italic=character.italics, underline=character.underscore),
        )
    text.rstrip()
    return text


_COLORS = {"brown": "yellow"} | {name: name for name in ("black", "red", "green", "blue", "magenta", "cyan", "white")}
_COLORS |= {f"bright{name}": f"bright_{name}" for name in ("black", "red", "green", "blue", "magenta", "cyan", "white")}
_COLORS["brightbrown"] = "bright_yellow"


CHANGING = re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=SHA256:)[\w+/]+|\b\d+ seconds? ago|Less than a second ago")
"""What differs from session to session: a port, a key, how long ago it was made."""


def words_of(picture: str) -> list[str]:
    """The words of a picture, from the top to the bottom, without what differs from session to session."""
    texts = re.findall(r"<text [^>]*>([^<]*)</text>", picture)
    lines = html.unescape("".join(texts).replace("\xa0", " ")).replace("\xa0", " ").split("\n")
    return [CHANGING.sub("…", line.rstrip()) for line in lines]


def is_current(name: str) -> bool:
    """Whether a picture has the words of its session as it goes today; tells the first difference."""
    then, now = words_of((PICTURES / f"{name}.svg").read_text(encoding="utf-8")), words_of(drawn(name, SESSIONS[name]))
    for old, new in zip_longest(then, now, fillvalue="(the end)"):
        if old != new:
            sys.stderr.write(f"docs/pictures/{name}.svg is not current: run `python docs/make_pictures.py {name}`.\n")
            sys.stderr.write(f"It has   {old}\ninstead of   {new}\n")
            return False
    return True


def drawn(name: str, session: Session) -> str:
    """Type a session, and give its picture."""
    with tempfile.TemporaryDirectory() as home, Path(os.devnull).open("w") as nowhere:
        environment = {"HOME": home, "OLLAMA_CLI_HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        environment |= {"TERM": "xterm-256color", **session.environment}
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        for command_line in session.command_lines:
            console.print(Text.assemble(("$ ", "bold green"), (f"ollama-cli {command_line}", "bold")))
            if session.typed:
                console.print(chatted(command_line, environment, session.typed))
            else:
                console.print(Text.from_ansi(shown(command_line, environment).replace(home, "~/.ollama-cli")))
        picture = console.export_svg(title="ollama-cli", theme=session.theme, unique_id=name)
        return picture.replace("<text ", '<text xml:space="preserve" ')  # some viewers leave out blanks


def main(arguments: list[str]) -> int:
    """Draw the pictures that are named, or all; or compare them.

    Returns:
        The exit status: how many pictures are not current.
    """
    names = [name for name in arguments if name != "--check"] or list(SESSIONS)
    if "--check" in arguments:
        return len(names) - sum(map(is_current, names))
    PICTURES.mkdir(exist_ok=True)
    for name in names:
        (PICTURES / f"{name}.svg").write_text(drawn(name, SESSIONS[name]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

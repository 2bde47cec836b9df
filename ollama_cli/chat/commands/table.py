"""The table of all commands: what is typed finds one by it, and help is made from it."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import TYPE_CHECKING

from ollama_cli.chat.commands.command import Command
from ollama_cli.chat.commands.conversation import CONVERSATION
from ollama_cli.chat.commands.details import DETAILS
from ollama_cli.chat.commands.models import MODELS
from ollama_cli.chat.commands.settings import SETTINGS
from ollama_cli.errors import UsageError
from ollama_cli.terminal.streams import columns

if TYPE_CHECKING:
    from ollama_cli.chat.chat import Chat

_KEYS = (
    ("Enter", "send; a new line where quotes are open"),
    ("Alt-Enter", "a new line"),
    ("Ctrl-A, Ctrl-E", "to the beginning, to the end of the line"),
    ("Alt-B, Alt-F", "a word back, a word on"),
    ("Ctrl-U, Ctrl-K", "delete what is before, what is after the cursor"),
    ("Ctrl-W", "delete the word before the cursor"),
    ("Up, Down, Ctrl-R", "earlier lines, later ones, search them"),
    ("Tab", "complete a command, a model, a file"),
    ("Ctrl-G", "write the message in an editor"),
    ("Ctrl-L", "clear the screen"),
    ("Ctrl-C", "stop an answer; throw a line away"),
    ("Ctrl-Z", "suspend the chat; fg goes on with it"),
    ("Ctrl-D", "end the chat"),
)


def _help(chat: Chat, typed: str) -> None:
    about = typed.split(maxsplit=1)[0].removeprefix("/") if typed else ""
    if about in {"shortcut", "shortcuts"}:
        _note_rows(chat, _KEYS, 20)
        return
    commands = [command for command in COMMANDS if command.words[0] == f"/{about}"] if about else _overview()
    if not commands:
        raise UsageError(f"There is no command /{about}.", hint="/? lists them.")
    rows = [(command.usage, command.does) for command in commands]
    if not about:
        rows.append(("/? [COMMAND]", "help, also for the keys: /? shortcuts"))
    _note_rows(chat, rows, 28)
    if not about:
        chat.note('\n""" begins and ends a message of several lines.')


def _note_rows(chat: Chat, rows: Iterable[tuple[str, str]], width: int) -> None:
    """Tell two columns, of which the first has a width; one below the other where a terminal has no room for both."""
    wide = columns(chat.streams.err)
    for what, does in rows:
        row = f"  {what:<{width}} {does}"
        if wide and len(row) > wide:
            row = "\n      ".join([f"  {what}", *wrap(does, max(wide - 6, 10))])
        chat.note(row)


HELP = Command(("/?",), "[COMMAND]", "help", _help, also=("/help",), choices=("set", "show", "shortcuts"))
COMMANDS = (*MODELS, *CONVERSATION, *SETTINGS, *DETAILS, HELP)


def _overview() -> list[Command]:
    """The commands of one word, and a line each for those of two."""
    groups = [
        Command(("/set",), "…", "how the model answers and how that is shown", _help),
        Command(("/show",), "…", "what is known of the model", _help),
    ]
    return [*(command for command in (*MODELS, *CONVERSATION) if len(command.words) == 1), *groups]


def run_typed(chat: Chat, typed: str) -> None:
    """Do what was typed.

    Args:
        chat: The chat.
        typed: A line that begins with a slash.

    Raises:
        UsageError: There is no such command, or it cannot be done so.
        LeaveChat: The chat is to end.
    """
    first, _, rest = typed.partition(" ")
    first, newline, more = first.partition("\n")
    rest = f"{more}{newline}{rest}".strip() if newline else rest.strip()
    named = [command for command in COMMANDS if first == command.words[0] or first in command.also]
    if not named:
        raise UsageError(f"There is no command {first}.", hint="/? lists them.")
    if len(named[0].words) == 1:
        named[0].run(chat, rest)
        return
    word, _, rest = rest.partition(" ")
    if not word:
        _help(chat, first)
        return
    for command in named:
        if command.words[1] == word:
            command.run(chat, rest.strip())
            return
    raise UsageError(f"There is no {first} {word}.", hint=f"/? {first.removeprefix('/')} lists what there is.")

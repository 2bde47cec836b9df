"""What stands at the cursor of a command line: a command, an option, or a value of one of a command's parameters.

The words are read as the command line itself is (``commands/command_line.py``), but nothing in them is an error: a line
that is being typed is seldom right yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from typer.core import TyperArgument, TyperGroup, TyperOption

HELP = ("--help", "-h")


@dataclass
class Cursor:
    """Where the cursor is.

    Attributes:
        command: The command whose words are being typed, as Typer has it; the program itself at first.
        path: Its name, a word for each group on the way.
        word: What is written up to the cursor of the thing that is to be completed.
        before: What stands before that in the same word, such as ``--format=``.
        parameter: The option or argument whose value is being typed, or None.
        is_option: Whether the name of an option is being typed.
        options: The values of the options that were given, by each of their names.
        arguments: The arguments that were given.
    """

    command: Any
    path: tuple[str, ...] = ()
    word: str = ""
    before: str = ""
    parameter: TyperArgument | TyperOption | None = None
    is_option: bool = False
    options: dict[str, list[str]] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)

    @property
    def is_command(self) -> bool:
        """Whether the name of a command is being typed."""
        return isinstance(self.command, TyperGroup) and self.parameter is None and not self.is_option


def find_cursor(root: Any, words: Sequence[str]) -> Cursor | None:  # noqa: ANN401 - Typer keeps the type to itself
    """Read a line up to the cursor.

    Args:
        root: The program, as Typer has it.
        words: Its words without the program's name; the last is the one that is being typed, and may be empty.

    Returns:
        What is being typed, or None where nothing is known of it, as after a command that does not exist.
    """
    reader = _Reader(Cursor(root))
    for word in words[:-1]:
        if not reader.take(word):
            return None
    return reader.at_cursor(words[-1] if words else "")


class _Reader:
    """Takes the words before the cursor, one after the other."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._waiting: TyperOption | None = None  # an option whose value is the next word
        self._only_arguments = False

    def take(self, word: str) -> bool:
        """Take a word; says whether what follows can be known."""
        cursor = self._cursor
        if self._waiting is not None:
            self._note(self._waiting, word)
            self._waiting = None
        elif word == "--" and not self._only_arguments:
            self._only_arguments = True
        elif word.startswith("-") and word != "-" and not self._only_arguments:
            self._take_option(word)
        elif isinstance(cursor.command, TyperGroup):
            if word not in cursor.command.commands:
                return False
            cursor.command, self._only_arguments = cursor.command.commands[word], False
            cursor.path = (*cursor.path, word)
        else:
            cursor.arguments.append(word)
        return True

    def at_cursor(self, word: str) -> Cursor | None:
        """What the word at the cursor is."""
        cursor = self._cursor
        cursor.word = word
        if self._waiting is not None:
            cursor.parameter = self._waiting
        elif word.startswith("-") and not self._only_arguments:
            self._split_option(word)
        elif not isinstance(cursor.command, TyperGroup):
            cursor.parameter = self._argument()
            return cursor if cursor.parameter is not None else None
        return cursor

    def _split_option(self, word: str) -> None:
        """Tell the name of an option from a value that is joined to it."""
        cursor = self._cursor
        name, equals, value = word.partition("=")
        if not word.startswith("--"):
            name, equals, value = word[:2], "", word[2:]
        option = self._option(name)
        if option is not None and not option.is_flag and (equals or value):
            cursor.parameter, cursor.before, cursor.word = option, f"{name}{equals}", value
        else:
            cursor.is_option = True

    def _take_option(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if not word.startswith("--"):
            name, value = word[:2], word[2:]
        option = self._option(name)
        if option is None:
            return
        optional = getattr(self._cursor.command, "optional_values", {})
        if option.is_flag:
            self._note(option, "true" if not equals else value)
            if value and not equals:  # several letters behind one dash
                self._take_option(f"-{value}")
        elif equals or value:
            self._note(option, value)
        elif name in optional:
            self._note(option, optional[name])
        else:
            self._waiting = option

    def _option(self, name: str) -> TyperOption | None:
        return next((option for option in options_of(self._cursor.command) if name in names_of(option)), None)

    def _note(self, option: TyperOption, value: str) -> None:
        for name in names_of(option):
            self._cursor.options.setdefault(name, []).append(value)

    def _argument(self) -> TyperArgument | None:
        """The argument that comes next."""
        taken = len(self._cursor.arguments)
        for parameter in self._cursor.command.params:
            if isinstance(parameter, TyperArgument):
                if parameter.nargs < 0 or taken < parameter.nargs:
                    return parameter
                taken -= parameter.nargs
        return None


def options_of(command: Any) -> list[TyperOption]:  # noqa: ANN401 - Typer keeps the type to itself
    """The options of a command that its help shows, without ``--help``."""
    return [option for option in command.params if isinstance(option, TyperOption) and not option.hidden]


def names_of(option: TyperOption) -> list[str]:
    """How an option can be written, both ways of a switch included."""
    return [*option.opts, *option.secondary_opts]

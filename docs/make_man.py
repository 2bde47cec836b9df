"""Writes the manual pages into a folder: ``python docs/make_man.py FOLDER``. The build of a wheel does so.

A page for the program and one for each command, from the commands themselves, so that none can be out of date. What
the main page tells of statuses, variables and files stands in statuses.md and environment.md. The pages are in the
macros of man(7), which every man understands.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from ollama_cli import __version__
from ollama_cli.app import PROGRAM, app

DOCS = Path(__file__).parent
_SECTION = "1"
_PRINTED = str.maketrans(
    {"\\": "\\e", "-": "\\-", "`": "\\(ga", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti", "…": "\\[u2026]"}
)


@dataclass(frozen=True)
class Entry:
    """A command as its page tells it; the types of the command tree are Typer's own, and it keeps them to itself.

    Attributes:
        path: Such as ``("ollama-cli", "keys", "list")``.
        command: The command.
        context: What it would run in.
        children: The commands below it, those that help does not show excepted.
    """

    path: tuple[str, ...]
    command: Any
    context: Any
    children: tuple[Entry, ...]

    @property
    def page(self) -> str:
        """The name of its page."""
        return "-".join(self.path)

    @property
    def summary(self) -> str:
        """The first sentence of its help, without a full stop."""
        first = " ".join(self.command.help.split("\n\n")[0].split())
        return re.split(r"(?<=[^.])\.(?= |$)", first)[0]

    def everyone(self) -> Iterator[Entry]:
        """This command, and all below it."""
        yield self
        for child in self.children:
            yield from child.everyone()


def tree() -> Entry:
    """The program with all its commands."""
    return _entry(get_command(app), (PROGRAM,), None)


def _entry(command: Any, path: tuple[str, ...], parent: Any) -> Entry:  # noqa: ANN401 - see Entry
    context = command.context_class(command, info_name=path[-1], parent=parent, **command.context_settings)
    children: list[Entry] = []
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):  # whether they are there, or imported when they are asked for
            child: Any = command.get_command(context, name)
            if not child.hidden:
                children.append(_entry(child, (*path, name), context))
    return Entry(path, command, context, tuple(children))


def pages() -> dict[str, str]:
    """Every page, by the name of its file."""
    program = tree()
    return {f"{entry.page}.{_SECTION}": _page(entry, program) for entry in program.everyone()}


def _page(entry: Entry, program: Entry) -> str:
    title, version = _text(entry.page.upper()), _text(f"{PROGRAM} {__version__}")
    lines = [
        f'.TH "{title}" "{_SECTION}" "" "{version}" "User Commands"',
        ".nh",  # commands and options are not to be broken at their hyphens
        ".ad l",
        ".SH NAME",
        f"{_text(entry.page)} \\- {_text(entry.summary)}",
        ".SH SYNOPSIS",
        f"\\fB{_text(' '.join(entry.path))}\\fP {_text(' '.join(entry.command.collect_usage_pieces(entry.context)))}",
        ".SH DESCRIPTION",
        *_paragraphs(entry.command.help),
        *_parameters(entry),
        *_children(entry),
    ]
    if entry is program:
        lines += _facts_of_the_program()
    others = [program, *program.everyone()] if entry is program else [program, *_siblings(entry, program)]
    lines += [".SH SEE ALSO", ", ".join(dict.fromkeys(_reference(other) for other in others if other is not entry))]
    return "\n".join(lines) + "\n"


def _siblings(entry: Entry, program: Entry) -> list[Entry]:
    """What stands above a command, beside it in its group, and below it."""
    above = next(other for other in program.everyone() if entry in other.children)
    beside = list(above.children) if above is not program else []
    return [above, *beside, *entry.children]


def _reference(entry: Entry) -> str:
    return f"\\fB{_text(entry.page)}\\fP({_SECTION})"


def _parameters(entry: Entry) -> Iterator[str]:
    """The sections of arguments and options, in the words of the command's help."""
    told: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
    for parameter in entry.command.get_params(entry.context):
        record = parameter.get_help_record(entry.context)
        if record is not None:
            told[parameter.param_type_name].append(record)
    for kind, title in (("argument", "ARGUMENTS"), ("option", "OPTIONS")):
        if told[kind]:
            yield f".SH {title}"
        for names, words in told[kind]:
            yield from _item(names, words)
    if len(entry.path) > 1:
        yield ".PP"
        yield f"Options that stand before the command: \\fB{_text(PROGRAM)}\\fP({_SECTION})."


def _children(entry: Entry) -> Iterator[str]:
    if entry.children:
        yield ".SH COMMANDS"
    for child in entry.children:
        yield from _item(child.path[-1], f"{child.summary}. See {_reference(child)}.", ready=True)


def _facts_of_the_program() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for status, meaning, *_ in _table("statuses.md", "# Exit statuses"):
        yield from _item(status, f"{meaning[0].upper()}{meaning[1:]}.")
    yield ".SH ENVIRONMENT"
    for names, meaning in _table("environment.md", "## Variables"):
        yield from _item(names.replace("`", ""), f"{meaning[0].upper()}{meaning[1:]}.")
    yield ".SH FILES"
    before, _, after = re.split(r"((?:^\|.*\n)+)", _part("environment.md", "## Files"), maxsplit=1, flags=re.MULTILINE)
    yield from _paragraphs(before)
    for file, holds in _table("environment.md", "## Files"):
        yield from _item(file.replace("`", ""), f"{holds[0].upper()}{holds[1:]}.")
    yield ".PP"
    yield from _paragraphs(after)


def _part(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^{heading}.*\n((?:(?!#).*\n)*)", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"docs/{page} has no part {heading!r}")
    return found[1]


def _table(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    rows = _part(page, heading).partition("\n| --- ")[2].partition("\n\n")[0].splitlines()[1:]
    return [re.split(r" +\| *", row.removeprefix("| ").removesuffix(" |")) for row in rows]


def _item(term: str, words: str, *, ready: bool = False) -> list[str]:
    """A term, and below it what is said of it.

    Args:
        term: The term.
        words: What is said of it; it may be nothing.
        ready: Whether the words are roff already.
    """
    return [".TP", f"\\fB{_text(term)}\\fP", _line(words if ready else _marked_up(words)) if words else "\\&"]


def _paragraphs(text: str) -> list[str]:
    """Paragraphs, each filled anew."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines += [".PP", _line(_marked_up(" ".join(paragraph.split())))]
    return lines[1:] if lines else ["\\&"]


def _marked_up(text: str) -> str:
    """Markdown within a line as roff: code in bold, a link as its words."""
    parts = re.split(r"`([^`]+)`", re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text))
    return "".join(f"\\fB{_text(part)}\\fP" if number % 2 else _text(part) for number, part in enumerate(parts))


def _text(text: str) -> str:
    """A text as roff prints it: with its backslashes, and its hyphens as what can be typed."""
    return text.translate(_PRINTED)


def _line(roff: str) -> str:
    """A line of text that is not taken for a request."""
    return f"\\&{roff}" if roff.startswith((".", "'")) else roff


def main(arguments: list[str]) -> int:
    """Write the pages.

    Returns:
        The exit status: 2 where no folder is named.
    """
    if len(arguments) != 1:
        sys.stderr.write("Usage: python docs/make_man.py FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

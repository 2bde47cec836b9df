"""What is offered at the cursor: commands and options by their names, values by what their metavar says they are.

A command needs nothing but the metavar of its neighbours: a MODEL is completed wherever one is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from ollama_cli.commands.completing.cursor import HELP, Cursor, names_of, options_of
from ollama_cli.errors import CliError


class Offer(NamedTuple):
    """A word that could stand at the cursor.

    Attributes:
        word: The word.
        about: What it is, in a few words, or nothing.
    """

    word: str
    about: str = ""


class Files(NamedTuple):
    """A file could stand at the cursor; the shell knows which there are.

    Attributes:
        before: What stands before its name in the same word.
    """

    before: str = ""


Choices: TypeAlias = "Iterator[Offer | Files]"


def offers_at(cursor: Cursor) -> tuple[list[Offer], Files | None]:
    """What could stand at the cursor, the whole word, and whether a file could."""
    offers, files = list[Offer](), None
    if cursor.is_option:
        choices: Iterable[Offer | Files] = _options(cursor)
    elif cursor.is_command:
        choices = _commands(cursor)
    else:
        choices = _values(cursor)
    with suppress(CliError):  # what cannot be read has nothing to offer
        for choice in choices:
            if isinstance(choice, Files):
                files = Files(cursor.before + choice.before)
            else:
                offers.append(Offer(cursor.before + choice.word, choice.about))
    return offers, files


def _commands(cursor: Cursor) -> Choices:
    for listed in cursor.command.table:
        if not listed.hidden:
            yield Offer(listed.name, listed.summary)


def _options(cursor: Cursor) -> Choices:
    """The long names of the options that were not given yet, or may be given again; the short ones after one dash."""
    optional = getattr(cursor.command, "optional_values", {})
    for option in options_of(cursor.command):
        if any(name in cursor.options for name in names_of(option)) and not option.multiple:
            continue
        for name in names_of(option):
            if name.startswith("--") or not cursor.word.startswith("--"):
                yield Offer(name, option.help or "")
            if name in optional:
                yield Offer(f"{name}=", option.help or "")
    for name in HELP:
        if name.startswith("--") or not cursor.word.startswith("--"):
            yield Offer(name, "Show this message and exit.")


def _values(cursor: Cursor) -> Choices:
    parameter = cursor.parameter
    if parameter is None:
        return
    choices = getattr(parameter.type, "choices", ())
    if choices:
        yield from (Offer(str(getattr(choice, "value", choice))) for choice in choices)
        return
    kind = re.sub(r"[^A-Z]", "", parameter.metavar or "")
    source = next((_VALUES[name] for name in (*parameter.opts, kind) if name in _VALUES), None)
    if source is not None:
        yield from source(cursor)


def _words(*words: str) -> Callable[[Cursor], Choices]:
    def offered(_: Cursor) -> Choices:
        return map(Offer, words)

    return offered


def _files(_: Cursor) -> Choices:
    yield Files()


def _file_after_at(cursor: Cursor) -> Choices:
    if cursor.word.startswith("@"):
        yield Files("@")


def _file_of_a_field(cursor: Cursor) -> Choices:
    name, given, _ = cursor.word.partition("=@")
    if given:
        yield Files(f"{name}=@")


def _how_to_think(_: Cursor) -> Choices:
    from ollama_cli.api.parameters import THINKING_LEVELS

    return map(Offer, ("true", "false", *THINKING_LEVELS))


def _parameters(_: Cursor) -> Choices:
    from ollama_cli.api.parameters import PARAMETERS

    return (Offer(f"{name}=") for name in sorted(PARAMETERS))


def _models(cursor: Cursor) -> Choices:
    from ollama_cli.commands.completing.models import known_names

    return (Offer(name) for name in known_names(cursor) if name not in cursor.arguments)


def _keys(cursor: Cursor) -> Choices:
    from ollama_cli.commands.completing.kept import keys

    yield Files()  # a .pub file names a key too
    for fingerprint, about in keys(cursor):
        if fingerprint not in cursor.arguments:
            yield Offer(fingerprint, about)


def _profiles(cursor: Cursor) -> Choices:
    from ollama_cli.commands.completing.kept import profiles

    return map(Offer, profiles(cursor))


def _chats(cursor: Cursor) -> Choices:
    from ollama_cli.commands.completing.kept import chats

    return (Offer(number, title) for number, title in chats(cursor) if number not in cursor.arguments)


_VALUES: Mapping[str, Callable[[Cursor], Choices]] = {
    "--option": _parameters,
    "--data": _file_after_at,
    "--field": _file_of_a_field,
    "--profile": _profiles,
    "PROFILE": _profiles,
    "MODEL": _models,
    "START": _models,
    "SOURCE": _models,
    "DESTINATION": _models,
    "KEY": _keys,
    "ID": _chats,
    "FILE": _files,
    "PROMPT": _files,  # files that a prompt names go along
    "HOW": _how_to_think,
    "BOOL": _words("true", "false"),
    "FORMAT": _words("json"),
    "LEVEL": _words("q4_K_M", "q4_K_S", "q8_0", "f16", "bf16"),
    "METHOD": _words("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"),
}
"""What completes a value: by its option's name where that says more, else by the letters of its metavar."""

"""``chats search``: kept chats in which something was said."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.context import Context

_HEADINGS = ("ID", "CHANGED", "FOUND", "WHERE")


@dataclass(frozen=True)
class SearchOptions:
    """What the command line of ``chats search`` says.

    Attributes:
        words: What is searched for.
        as_json: Whether to print JSON.
    """

    words: tuple[str, ...]
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search", cls=LocalCommand)(search)


def search(
    typer_context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="Words, or several of them in quotes.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Search what was said in kept chats.

    Lists the chats with a message that holds every one of the words, in upper or lower case, with the first such place
    and how many messages there are. Words in quotes have to follow each other. No character has a special meaning.
    """
    run(typer_context.obj, SearchOptions(tuple(words), as_json))


def run(context: Context, options: SearchOptions) -> None:
    """Print the chats in which something was found.

    Raises:
        UsageError: Nothing is searched for.
        ArchiveError: The chats cannot be read.
    """
    from ollama_cli.chat.kept.searching import Pattern
    from ollama_cli.terminal.tables import show_table

    if not all(word.strip() for word in options.words):
        raise UsageError("There is nothing to search for in an empty text.", hint="Name one or more words.")
    results = context.archive.search([Pattern.of(word) for word in options.words])
    if options.as_json:
        content = [{**facts.as_json(), "found": [asdict(found) for found in all_found]} for facts, all_found in results]
        context.streams.answer(json.dumps(content))
        return
    rows = [(str(facts.id), facts.changed_on, str(len(found)), found[0].snippet) for facts, found in results]
    show_table(context.streams, _HEADINGS, rows)
    if not rows:
        context.streams.say("No kept chat has a message with all of that.")

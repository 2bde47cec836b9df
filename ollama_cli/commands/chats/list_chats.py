"""``chats list``: the chats that were kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand

if TYPE_CHECKING:
    from ollama_cli.context import Context

_HEADINGS = ("ID", "CHANGED", "MESSAGES", "MODEL", "TITLE")


@dataclass(frozen=True)
class ListOptions:
    """What the command line of ``chats list`` says.

    Attributes:
        as_json: Whether to print JSON.
    """

    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list", cls=LocalCommand)(list_chats)


def list_chats(
    typer_context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the chats that were kept, the last changed first."""
    run(typer_context.obj, ListOptions(as_json))


def run(context: Context, options: ListOptions) -> None:
    """Print what is known of each chat.

    Raises:
        ArchiveError: They cannot be read.
    """
    from ollama_cli.chat.kept.archive import HOW_TO_KEEP
    from ollama_cli.terminal.tables import show_table

    chats = context.archive.chats()
    if options.as_json:
        context.streams.answer(json.dumps([chat.as_json() for chat in chats]))
        return
    rows = [(str(chat.id), chat.changed_on, str(chat.messages), chat.model, chat.title) for chat in chats]
    show_table(context.streams, _HEADINGS, rows)
    if not rows:
        context.streams.say(context.to_be_typed(f"No chat is kept. {HOW_TO_KEEP}"))

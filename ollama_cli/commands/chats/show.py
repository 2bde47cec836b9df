"""``chats show``: a kept chat, to be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand

if TYPE_CHECKING:
    from ollama_cli.chat.messages import Message
    from ollama_cli.context import Context


@dataclass(frozen=True)
class ShowOptions:
    """What the command line of ``chats show`` says.

    Attributes:
        chat: The chat's id; None is the last.
        as_json: Whether to print JSON.
    """

    chat: str | None = None
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", cls=LocalCommand)(show)


def show(
    typer_context: typer.Context,
    chat: Annotated[
        str | None, typer.Argument(metavar="[ID]", show_default=False, help="By default the one changed last.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a kept chat.

    What was asked stands after >>>, and below it what was answered. What a model thought, and control sequences in
    what it said, are left out; `chats export` has all.
    """
    run(typer_context.obj, ShowOptions(chat, as_json))


def run(context: Context, options: ShowOptions) -> None:
    """Print a chat.

    Raises:
        UsageError: There is no such chat.
        ArchiveError: It cannot be read.
    """
    from ollama_cli.chat.kept.archive import parse_id
    from ollama_cli.chat.kept.export import kept_facts
    from ollama_cli.terminal.facts import show_facts

    stored = context.archive.find(None if options.chat is None else parse_id(options.chat))
    if options.as_json:
        context.streams.answer(json.dumps(kept_facts(stored)))
        return
    facts = stored.facts
    show_facts(
        context.streams,
        {
            "Chat": f"{facts.id}, {facts.title}",
            "Model": facts.model,
            "Changed": facts.changed_on,
            "System": stored.session.system,
        },
    )
    for message in stored.session.messages:
        context.streams.answer(f"\n{_shown(message)}")


def _shown(message: Message) -> str:
    from ollama_cli.terminal.sanitize import clean

    text = clean(message.content).strip("\n")
    if message.role == "user":
        text = ">>> " + text.replace("\n", "\n... ")
    elif message.role != "assistant":
        text = f"({message.role}) {text}"
    files = f"({len(message.images)} file{'s' if len(message.images) > 1 else ''} went along)" if message.images else ""
    return "\n".join(part for part in (text, files) if part)

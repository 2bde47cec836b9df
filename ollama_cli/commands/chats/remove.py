"""``chats remove``: kept chats are kept no longer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand
from ollama_cli.errors import DeclinedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_cli.context import Context


@dataclass(frozen=True)
class RemoveOptions:
    """What the command line of ``chats remove`` says.

    Attributes:
        chats: The chats' ids.
        every: Whether all are meant.
        yes: Whether it was agreed to beforehand.
        as_json: Whether to print JSON.
    """

    chats: tuple[str, ...] = ()
    every: bool = False
    yes: bool = False
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("remove", cls=LocalCommand)(remove)


def remove(
    typer_context: typer.Context,
    chats: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", show_default=False, help="The chats.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Remove every kept chat.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Remove kept chats.

    Asks first at a terminal; a script says --yes.
    """
    run(typer_context.obj, RemoveOptions(tuple(chats or ()), every, yes, as_json))


def run(context: Context, options: RemoveOptions) -> None:
    """Check every chat that is named, ask, and remove them.

    Raises:
        UsageError: There is no such chat, or none is named; or nobody is there to agree, and ``--yes`` was not given.
        DeclinedError: A person did not agree.
        ArchiveError: They cannot be removed.
    """
    if bool(options.chats) == options.every:
        raise UsageError("Name the chats to remove, or say --all.", hint="See `ollama-cli chats list`.")
    numbers = _numbers(context, options)
    if numbers and not options.yes:
        _ask(context, numbers)
    if numbers:
        context.archive.remove(numbers)
    if options.as_json:
        context.streams.answer(json.dumps({"removed": numbers}))
    else:
        context.streams.say(f"Removed {_counted(numbers)}." if numbers else "No chat is kept.")


def _numbers(context: Context, options: RemoveOptions) -> list[int]:
    """The ids of the chats that are meant, each of which is kept."""
    from ollama_cli.chat.kept.archive import no_chat, parse_id

    kept = context.archive.ids()
    if options.every:
        return kept
    numbers = list(dict.fromkeys(map(parse_id, options.chats)))
    missing = next((number for number in numbers if number not in kept), None)
    if missing is not None:
        raise no_chat(missing)
    return numbers


def _ask(context: Context, numbers: Sequence[int]) -> None:
    """Have a person agree.

    Raises:
        UsageError: Nobody is there.
        DeclinedError: The answer is no.
    """
    from ollama_cli.terminal.prompts import confirm

    context.require_interactive("Removing a chat needs a yes.", "Say --yes to do it without a question.")
    if not confirm(context.streams, f"Remove {_counted(numbers)}?", default=False):
        raise DeclinedError("Nothing was removed.")


def _counted(numbers: Sequence[int]) -> str:
    return f"chat {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} chats"

"""``ps``: the models that a daemon holds in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command

if TYPE_CHECKING:
    from ollama_cli.context import Context


@dataclass(frozen=True)
class RunningOptions:
    """What the command line of ``ps`` says.

    Attributes:
        start: How the names begin that are wanted.
        as_json: Whether to print JSON.
    """

    start: str = ""
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ps", cls=Command)(list_running)


def list_running(
    typer_context: typer.Context,
    start: Annotated[str, typer.Argument(metavar="[START]", show_default=False)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the models that the Ollama server holds in memory.

    With START, only those whose name begins so.
    """
    run(typer_context.obj, RunningOptions(start, as_json))


def run(context: Context, options: RunningOptions) -> None:
    """Print what is known of each of them.

    Raises:
        UnavailableError: The server does not answer.
    """
    from ollama_cli.commands.shared.daemon import changing_daemon
    from ollama_cli.terminal.model_table import show_running

    with changing_daemon(context, "ps") as client:
        wanted = options.start.lower()
        models = [model for model in client.running() if model.name.lower().startswith(wanted)]
    if options.as_json:
        context.streams.answer(json.dumps([model.told for model in models]))
    else:
        show_running(context.streams, models)

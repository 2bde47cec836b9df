"""``stop``: a model out of a daemon's memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.context import Context


@dataclass(frozen=True)
class StopOptions:
    """What the command line of ``stop`` says.

    Attributes:
        model: The model.
        as_json: Whether to print JSON.
    """

    model: str
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("stop", cls=Command)(stop)


def stop(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Take a model out of the Ollama server's memory."""
    run(typer_context.obj, StopOptions(model, as_json))


def run(context: Context, options: StopOptions) -> None:
    """Have the daemon unload the model.

    Raises:
        ModelNotFoundError: It has none of that name.
    """
    from ollama_cli.commands.shared.daemon import changing_daemon
    from ollama_cli.terminal.sanitize import clean_line

    with changing_daemon(context, "stop") as client:
        was_here = unload(client, options.model)
    name = clean_line(options.model)
    if options.as_json:
        context.streams.answer(json.dumps({"model": options.model, "stopped": was_here}))
    elif was_here:
        context.streams.say(f"{name} is stopped.")
    else:
        context.streams.say(f"{name} runs in the cloud; the server holds nothing of it in memory.")


def unload(client: OllamaClient, model: str) -> bool:
    """Have a daemon take a model out of its memory.

    Returns:
        Whether that is where it runs; a model that the daemon passes on to the cloud is left alone.

    Raises:
        ModelNotFoundError: It has none of that name.
    """
    if client.show(model).remote_host:
        return False
    client.unload(model)
    return True

"""``cp``: a second name for a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command

if TYPE_CHECKING:
    from ollama_cli.context import Context


@dataclass(frozen=True)
class CopyOptions:
    """What the command line of ``cp`` says.

    Attributes:
        source: The model.
        destination: What it shall be called too.
        as_json: Whether to print JSON.
    """

    source: str
    destination: str
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cp", cls=Command)(copy)


def copy(
    typer_context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", show_default=False)],
    destination: Annotated[str, typer.Argument(metavar="DESTINATION", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy a model of the Ollama server under another name."""
    run(typer_context.obj, CopyOptions(source, destination, as_json))


def run(context: Context, options: CopyOptions) -> None:
    """Have the daemon copy the model.

    Raises:
        ModelNotFoundError: It has none of that name.
    """
    from ollama_cli.api.place import daemon_place
    from ollama_cli.commands.shared.daemon import changing_daemon
    from ollama_cli.terminal.sanitize import clean_line

    with changing_daemon(context, "cp") as client:
        client.copy(options.source, options.destination)
    context.known_models.note_one(daemon_place(context.settings).base_url, options.destination)
    if options.as_json:
        context.streams.answer(json.dumps({"source": options.source, "destination": options.destination}))
    else:
        context.streams.say(f"{clean_line(options.source)} is {clean_line(options.destination)} too now.")

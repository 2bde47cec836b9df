"""``rm``: models that a daemon shall not have any more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.errors import CliError, ModelNotFoundError, SignInError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.context import Context


@dataclass(frozen=True)
class DeleteOptions:
    """What the command line of ``rm`` says.

    Attributes:
        models: The models.
        as_json: Whether to print JSON.
    """

    models: Sequence[str]
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rm", cls=Command)(delete)


def delete(
    typer_context: typer.Context,
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Delete models of the Ollama server.

    A model that is in memory is stopped first.
    """
    run(typer_context.obj, DeleteOptions(models, as_json))


def run(context: Context, options: DeleteOptions) -> None:
    """Have the daemon delete one model after the other, up to the first that it cannot.

    Raises:
        ModelNotFoundError: It has none of that name.
    """
    from ollama_cli.api.place import daemon_place
    from ollama_cli.commands.shared.daemon import changing_daemon
    from ollama_cli.terminal.sanitize import clean_line

    deleted: list[str] = []
    try:
        with changing_daemon(context, "rm") as client:
            server = daemon_place(context.settings).base_url
            for model in options.models:
                _stop(context, client, model)
                client.delete(model)
                deleted.append(model)
                context.known_models.forget_one(server, model)
                if not options.as_json:
                    context.streams.say(f"{clean_line(model)} is deleted.")
    finally:
        if options.as_json:
            context.streams.answer(json.dumps({"deleted": deleted}))


def _stop(context: Context, client: OllamaClient, model: str) -> None:
    """Stop a model; what prevents it does not prevent that the model is deleted."""
    from ollama_cli.commands.models.stopping import unload
    from ollama_cli.terminal.sanitize import clean_line

    try:
        unload(client, model)
    except ModelNotFoundError:
        return
    except CliError as error:
        if isinstance(error, SignInError) or error.code == "connection_refused":
            raise
        context.streams.say(f"Warning: {clean_line(model)} could not be stopped. {clean_line(error.message)}")

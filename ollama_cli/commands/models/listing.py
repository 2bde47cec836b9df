"""``list`` (``ls``): the models that a server has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.errors import SignInError, UnavailableError

if TYPE_CHECKING:
    from ollama_cli.api.model_list import ListedModel
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context


@dataclass(frozen=True)
class ListOptions:
    """What the command line of ``list`` says.

    Attributes:
        start: How the names begin that are wanted.
        cloud: Whether to list ollama.com's models, whatever OLLAMA_HOST says.
        as_json: Whether to print JSON.
    """

    start: str = ""
    cloud: bool = False
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list", cls=Command)(list_models)


def list_models(
    typer_context: typer.Context,
    start: Annotated[str, typer.Argument(metavar="[START]", show_default=False)] = "",
    cloud: Annotated[bool, typer.Option("--cloud", help="Those of ollama.com, whatever OLLAMA_HOST says.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the models of the Ollama server, or the cloud's.

    With START, only those whose name begins so. Where no server answers on this machine, ollama.com's are listed, by
    the names under which `run` takes them.
    """
    run(typer_context.obj, ListOptions(start, cloud, as_json))


def run(context: Context, options: ListOptions) -> None:
    """Print what is known of each model.

    Raises:
        UnavailableError: The server does not answer.
    """
    from ollama_cli.api.place import general_place
    from ollama_cli.terminal.model_table import show_models

    place = general_place(context.settings, cloud=options.cloud)
    wanted = options.start.lower()
    models = [model for model in _models(context, place) if model.name.lower().startswith(wanted)]
    if options.as_json:
        context.streams.answer(json.dumps([model.as_json() for model in models]))
    else:
        show_models(context.streams, models)


def _models(context: Context, place: Place) -> list[ListedModel]:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.place import cloud_place
    from ollama_cli.commands.shared.asking import ask
    from ollama_cli.commands.shared.daemon import at_ollama_com

    if place.kind == "cloud":
        return _cloud_models(context, place)
    instead = at_ollama_com(context.settings, "see ollama.com's", "list")
    try:
        models, _ = ask(context, place, OllamaClient.models, instead=instead)
    except UnavailableError as error:
        if error.code != "no_daemon" or context.settings.host is not None or context.settings.no_cloud:
            raise
        note = f"Note: {error.message}"
        try:
            models = _cloud_models(context, cloud_place(context.settings))
            note = f"{note} These are the models of ollama.com."
        finally:
            context.streams.say(note)
        return models
    context.known_models.note(place.base_url, (model.name for model in models))
    return models


def _cloud_models(context: Context, place: Place) -> list[ListedModel]:
    """ollama.com's models, by the names under which ``run`` takes them; anybody may ask for them, so nobody signs."""
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.model_list import with_cloud_names
    from ollama_cli.commands.shared.asking import ask

    try:
        models = context.client(place, None).models()
    except SignInError:
        models = ask(context, place, OllamaClient.models)[0]
    named = with_cloud_names(models)
    context.known_models.note(place.base_url, (model.name for model in named))
    return named

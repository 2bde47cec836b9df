"""``show``: what is known of a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.errors import ModelNotFoundError, UsageError

if TYPE_CHECKING:
    from ollama_cli.api.model_info import ModelInfo
    from ollama_cli.context import Context
    from ollama_cli.terminal.streams import Streams

_IN_WORDS = {"license": "licence", "modelfile": "Modelfile", "system": "system message"}
_LINES = frozenset({"license", "modelfile", "parameters"})
"""Texts that a line end follows; a template and a system message are printed as they are."""


@dataclass(frozen=True)
class ShowOptions:
    """What the command line of ``show`` says.

    Attributes:
        model: The model.
        parts: The texts that alone are wanted: one at most.
        verbose: Whether all is wanted.
        cloud: Whether to ask ollama.com, whatever the name and OLLAMA_HOST say.
        as_json: Whether to print JSON.
    """

    model: str
    parts: tuple[str, ...] = ()
    verbose: bool = False
    cloud: bool = False
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", cls=Command)(show)


def show(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False)],
    license_text: Annotated[bool, typer.Option("--license", help="Print its licence only.")] = False,
    modelfile: Annotated[bool, typer.Option("--modelfile", help="Print its Modelfile only.")] = False,
    parameters: Annotated[bool, typer.Option("--parameters", help="Print its parameters only.")] = False,
    system: Annotated[bool, typer.Option("--system", help="Print only what it is told first.")] = False,
    template: Annotated[bool, typer.Option("--template", help="Print only how it is given a prompt.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show its metadata and tensors too.")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="Ask ollama.com, whatever its name says.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the server's whole answer, one JSON object.")] = False,
) -> None:
    """Show what is known of a model.

    Among it are architecture, size, capabilities, parameters and licence. A model whose name ends in -cloud or :cloud
    is asked of ollama.com, another one of the Ollama server.
    """
    flags = {
        "license": license_text,
        "modelfile": modelfile,
        "parameters": parameters,
        "system": system,
        "template": template,
    }
    parts = tuple(name for name, wanted in flags.items() if wanted)
    run(typer_context.obj, ShowOptions(model, parts, verbose, cloud, as_json))


def run(context: Context, options: ShowOptions) -> None:
    """Ask what is known of the model, and print it.

    Raises:
        UsageError: Two texts are wanted at once.
        ModelNotFoundError: There is no such model.
    """
    from ollama_cli.terminal.model_details import show_model

    if len(options.parts) > 1:
        wanted = " and ".join(f"--{name}" for name in options.parts)
        raise UsageError(f"{wanted} cannot be given at once.", hint="Each prints one text and nothing else.")
    info = _details(context, options)
    part = next(iter(options.parts), None)
    if options.as_json:
        context.streams.answer(json.dumps(info.told if part is None else {part: info.text(part)}))
    elif part is not None:
        _print_text(context.streams, part, info.text(part))
    else:
        show_model(context.streams, info.told, verbose=options.verbose)


def _details(context: Context, options: ShowOptions) -> ModelInfo:
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.api.place import model_place
    from ollama_cli.commands.shared.asking import ask
    from ollama_cli.commands.shared.cloud_twin import twin_instead
    from ollama_cli.commands.shared.daemon import OF_THE_SERVER
    from ollama_cli.commands.shared.near_names import suggest_near_name

    reference = ModelRef.parse(options.model)
    place = model_place(context.settings, reference, cloud=options.cloud)
    named = reference.base if place.kind == "cloud" else options.model.strip()
    instead = twin_instead(context.settings, "show", reference)
    try:
        return ask(context, place, lambda client: client.show(named, verbose=options.verbose), instead=instead)[0]
    except ModelNotFoundError as error:
        if place.kind == "daemon":
            error.hint = OF_THE_SERVER
        suggest_near_name(context, place, error)
        raise


def _print_text(streams: Streams, name: str, text: str) -> None:
    """Print a text of the model: a pipe gets it unchanged, a terminal what it can show, on lines of its own."""
    from ollama_cli.terminal.sanitize import clean

    if not text:
        streams.say(f"The model has no {_IN_WORDS.get(name, name)} of its own.")
    if streams.out.isatty():
        text = clean(text)
        text = text if not text or text.endswith("\n") else f"{text}\n"
    elif name in _LINES:
        text = f"{text}\n"
    streams.write(text)

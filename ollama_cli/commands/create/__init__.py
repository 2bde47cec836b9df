"""``create``: a model from a Modelfile."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.commands.models.transferring import AsJson, AsJsonLines, require_one_form
from ollama_cli.commands.typed import as_text
from ollama_cli.errors import ModelNotFoundError, UsageError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.commands.create.recipe import Recipe
    from ollama_cli.commands.models.transferring import Transfer
    from ollama_cli.context import Context

DEFAULT_FILE = Path("Modelfile")
_LARGEST_MODELFILE = 16 * 1024 * 1024


@dataclass(frozen=True)
class CreateOptions:
    """What the command line of ``create`` says.

    Attributes:
        model: What the model is to be called.
        file: The Modelfile, or ``-``; None is ``Modelfile``, and without that the model in this folder.
        quantize: What to quantise the model to; nothing leaves it as it is.
        draft_quantize: What to quantise its draft model to.
        as_json: Whether to print one JSON object.
        as_json_lines: Whether to print a JSON object a step.

    Raises:
        UsageError: Both kinds of JSON are wanted.
    """

    model: str
    file: Path | None = None
    quantize: str = ""
    draft_quantize: str = ""
    as_json: bool = False
    as_json_lines: bool = False

    def __post_init__(self) -> None:
        require_one_form(self)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("create", cls=Command)(create)


def create(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False)],
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="The Modelfile, or - for stdin; else ./Modelfile."),
    ] = None,
    quantize: Annotated[
        str, typer.Option("--quantize", "-q", metavar="LEVEL", help="Quantise the model, such as to q4_K_M.")
    ] = "",
    draft_quantize: Annotated[
        str, typer.Option("--draft-quantize", metavar="LEVEL", help="Quantise its draft model.")
    ] = "",
    as_json: AsJson = False,
    as_json_lines: AsJsonLines = False,
) -> None:
    """Make a model from a Modelfile, at the Ollama server.

    Files that it names are sent there; what the server has of them is not sent again. Without a Modelfile, the model
    whose files are in this folder is taken.
    """
    options = CreateOptions(as_text(model), file, quantize, draft_quantize, as_json, as_json_lines)
    run(typer_context.obj, options)


def run(context: Context, options: CreateOptions) -> None:
    """Read the Modelfile, send the files, and have the daemon make the model.

    Raises:
        UsageError: The Modelfile, or a file that it names, cannot be used.
        ModelNotFoundError: There is no such model to begin from.
    """
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.api.place import daemon_place
    from ollama_cli.commands.create.recipe import DRAFTS
    from ollama_cli.commands.models.transferring import Transfer, tell_result
    from ollama_cli.commands.shared.daemon import changing_daemon
    from ollama_cli.terminal.sanitize import clean_line

    ModelName.parse(options.model)
    recipe = _read(context, options)
    if options.draft_quantize and DRAFTS not in recipe.files:
        raise UsageError("--draft-quantize is for a model with a DRAFT.", hint="The Modelfile names none.")
    for warning in recipe.warnings:
        context.streams.say(f"Warning: {clean_line(warning)}")
    with (
        changing_daemon(context, "create", where_models_are=None) as client,
        Transfer(context.streams, options) as shown,
    ):
        result = _create(client, recipe, options, shown)
    context.known_models.note_one(daemon_place(context.settings).base_url, options.model)
    tell_result(context.streams, result, options, f"{clean_line(options.model)} is created.")


def _read(context: Context, options: CreateOptions) -> Recipe:
    from ollama_cli.api.modelfile import parse_modelfile
    from ollama_cli.commands.create.model_files import files_at
    from ollama_cli.commands.create.recipe import FILES, Recipe, recipe_of

    here = Path()
    if options.file is None and not os.path.exists(DEFAULT_FILE):  # noqa: PTH110 - says no where it may not look
        try:
            return Recipe(files={FILES: files_at(here) or []})
        except UsageError as error:
            hint = f"Name one with -f. {error.message}"
            raise UsageError("There is no Modelfile here.", hint=hint, code="bad_file") from error
    path = options.file or DEFAULT_FILE
    folder = path.parent if os.path.isfile(path) else here  # noqa: PTH113 - as above; what is piped in stands nowhere
    return recipe_of(parse_modelfile(_text_of(context, path)), folder)


def _text_of(context: Context, path: Path) -> str:
    from ollama_cli.api.modelfile import decode_modelfile
    from ollama_cli.commands.create.model_files import unreadable

    if str(path) == "-":
        content = context.streams.piped_input(_LARGEST_MODELFILE + 1).encode()
    else:
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST_MODELFILE + 1)
        except OSError as error:
            raise unreadable(path, error) from error
    if len(content) > _LARGEST_MODELFILE:
        raise UsageError(f"{path} is too large for a Modelfile.", hint="FROM names a model's file.", code="bad_file")
    return decode_modelfile(content)


def _create(client: OllamaClient, recipe: Recipe, options: CreateOptions, shown: Transfer) -> dict[str, Any]:
    from ollama_cli.commands.create.model_files import names_of
    from ollama_cli.commands.create.sending import hash_file, send_file

    body: dict[str, Any] = {"model": options.model, **recipe.body}
    body |= {"quantize": options.quantize} if options.quantize else {}
    body |= {"draft_quantize": options.draft_quantize} if options.draft_quantize else {}
    if recipe.files:
        client.require_answer()  # before files are read for minutes
    sent: list[dict[str, Any]] = []
    there: set[str] = set()
    for field, paths in recipe.files.items():
        files = [hash_file(path, name, shown.show) for path, name in names_of(paths).items()]
        for file in files:
            is_new = file.digest not in there and send_file(client, file, shown.show)
            there.add(file.digest)
            sent.append(file.as_json(sent=is_new))
        body[field] = {file.name: file.digest for file in files}
    _make(client, body, shown)
    return {"model": options.model, "files": sent}


def _make(client: OllamaClient, body: dict[str, Any], shown: Transfer) -> None:
    from ollama_cli.commands.models.denial import explaining_denial

    try:
        with explaining_denial(client, body.get("from", body["model"]), "pull"):
            for step in client.create(body):
                shown.show(step)
    except ModelNotFoundError as missing:
        missing.hint = "FROM names a model of the server or of its registry, or a file beside the Modelfile."
        raise

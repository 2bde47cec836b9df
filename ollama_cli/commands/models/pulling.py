"""``pull``: a model from its registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ollama_cli.commands.command_line import Command, as_text
from ollama_cli.commands.models.transferring import AsJson, AsJsonLines, TransferOptions, follow, print_result
from ollama_cli.errors import ModelNotFoundError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.context import Context

_MODELS_ARE = "Models: https://ollama.com/search"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("pull", cls=Command)(pull)


def pull(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False)],
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let the server load it from a registry without TLS.")
    ] = False,
    as_json: AsJson = False,
    as_json_lines: AsJsonLines = False,
) -> None:
    """Have the Ollama server load a model from its registry.

    What it has of the model already it does not load again.
    """
    run(typer_context.obj, TransferOptions(as_text(model), insecure, as_json, as_json_lines))


def run(context: Context, options: TransferOptions) -> None:
    """Have the daemon load the model, and show how far it is.

    Raises:
        UsageError: The name is no model's.
        ModelNotFoundError: The registry has none of that name.
        SignInError: The registry gives it to accounts only, and the daemon is on none.
        ForbiddenError: The registry does not give it to the daemon's account.
    """
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.commands.daemon import changing_daemon
    from ollama_cli.terminal.sanitize import clean_line

    reference = ModelRef.parse(options.model)
    ModelName.parse(reference.base)
    with changing_daemon(context, "pull", instead=_instead(reference), where_models_are=None) as client:
        try:
            result = _pull(context, client, options.model, options)
        except ModelNotFoundError as missing:
            missing.hint = _MODELS_ARE
            result = _pull(context, client, _twin(context, client, reference, missing, options), options)
    print_result(context.streams, result, options)
    if not options.as_json and not options.as_json_lines:
        context.streams.say(f"{clean_line(result['model'])} is pulled.")


def _pull(context: Context, client: OllamaClient, name: str, options: TransferOptions) -> dict[str, Any]:
    from ollama_cli.commands.models.denial import explaining_denial

    with explaining_denial(client, name, "pull"):
        layers = follow(context.streams, client.pull(name, insecure=options.insecure), options)
    return {"model": name, "layers": layers}


def _twin(
    context: Context, client: OllamaClient, model: ModelRef, missing: ModelNotFoundError, options: TransferOptions
) -> str:
    from ollama_cli.commands.cloud_twin import require_twin

    if options.insecure or model.source != "unspecified":
        raise missing
    question = "Pull {} instead, which runs in the cloud?"
    return require_twin(context, client, model, missing, command="pull", question=question)


def _instead(model: ModelRef) -> str:
    """What can be done with a cloud model where no daemon answers."""
    if model.source != "cloud":
        return ""
    return f"run it at ollama.com without pulling it: `ollama-cli run {model.cloud_twin}`"

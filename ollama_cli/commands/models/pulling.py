"""``pull``: a model from its registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.commands.models.transferring import (
    WITHOUT,
    AsJson,
    AsJsonLines,
    Direct,
    TransferOptions,
    Transfers,
    follow,
    tell_result,
)
from ollama_cli.commands.typed import as_text
from ollama_cli.errors import ModelNotFoundError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator

    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.api.work_steps import WorkStep
    from ollama_cli.context import Context
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore
    from ollama_cli.settings import Settings

_MODELS_ARE = "Models: https://ollama.com/search"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("pull", cls=Command)(pull)


def pull(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False)],
    insecure: Annotated[bool, typer.Option("--insecure", help="Have it loaded from a registry without TLS.")] = False,
    as_json: AsJson = False,
    as_json_lines: AsJsonLines = False,
    direct: Direct = False,
    transfers: Transfers = None,
) -> None:
    """Load a model from a registry, by an Ollama server or without.

    Without --direct that is done where OLLAMA_HOST names no server and none answers on this machine. What is there of
    the model already is not loaded again.
    """
    run(typer_context.obj, TransferOptions(as_text(model), insecure, as_json, as_json_lines, direct, transfers))


def run(context: Context, options: TransferOptions) -> None:
    """Have the daemon load the model, or load it without one, and show how far it is.

    Raises:
        UsageError: The name is no model's.
        ModelNotFoundError: The registry has none of that name.
        SignInError: The registry gives it to accounts only, and the daemon, or this device, is on none.
        ForbiddenError: The registry does not give it to the account.
    """
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.commands.models.directly import is_direct, require_no_daemon

    reference = ModelRef.parse(options.model)
    ModelName.parse(reference.base)
    if not is_direct(context, options):
        try:
            _through_daemon(context, reference, options)
        except UnavailableError as error:
            if reference.source == "cloud":  # there would be nothing to load
                raise
            require_no_daemon(context, error)
        else:
            return
    _directly(context, reference, options)


def _directly(context: Context, reference: ModelRef, options: TransferOptions) -> None:
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.commands.models.directly import transfer_directly
    from ollama_cli.registry.pulling import Pull
    from ollama_cli.registry.transfer import TRANSFERS
    from ollama_cli.settings.hosts import is_loopback
    from ollama_cli.transport.retries import Retries

    name = ModelName.parse(reference.pull_name)

    def load(registry: Registry, store: ModelStore) -> Generator[WorkStep]:
        retries = Retries(on_this_machine=is_loopback(registry.base_url))
        return Pull(name, registry, store, retries, options.transfers or TRANSFERS).steps()

    words = "Note: without an Ollama server, from the registry {registry} into {store}."
    try:
        layers, _ = transfer_directly(context, name, options, words, load)
    except ModelNotFoundError as missing:
        missing.hint = _MODELS_ARE
        raise
    result = {"model": options.model, "layers": layers, "direct": True}
    tell_result(context.streams, result, options, f"{name} is pulled.")


def _through_daemon(context: Context, reference: ModelRef, options: TransferOptions) -> None:
    from ollama_cli.commands.shared.daemon import changing_daemon
    from ollama_cli.terminal.sanitize import clean_line

    with changing_daemon(
        context, "pull", instead=_instead(context.settings, reference), where_models_are=None
    ) as client:
        try:
            result = _pull(context, client, options.model, options)
        except ModelNotFoundError as missing:
            missing.hint = _MODELS_ARE
            result = _pull(context, client, _twin(context, client, reference, missing, options), options)
    tell_result(context.streams, result, options, f"{clean_line(result['model'])} is pulled.")


def _pull(context: Context, client: OllamaClient, name: str, options: TransferOptions) -> dict[str, Any]:
    from ollama_cli.commands.models.denial import explaining_denial

    with explaining_denial(client, name, "pull"):
        layers = follow(context.streams, client.pull(name, insecure=options.insecure), options)
    return {"model": name, "layers": layers}


def _twin(
    context: Context, client: OllamaClient, model: ModelRef, missing: ModelNotFoundError, options: TransferOptions
) -> str:
    from ollama_cli.commands.shared.cloud_twin import require_twin

    if options.insecure or model.source != "unspecified":
        raise missing
    question = "Pull {} instead, which runs in the cloud?"
    return require_twin(context, client, model, missing, command="pull", question=question)


def _instead(settings: Settings, model: ModelRef) -> str:
    """What can be done where no daemon answers."""
    from ollama_cli.commands.shared.daemon import at_ollama_com

    if model.source != "cloud":
        return WITHOUT
    return at_ollama_com(settings, "run it at ollama.com without pulling it", f"run {model.cloud_twin}")

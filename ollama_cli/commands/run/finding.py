"""The model that a daemon is to ask: what it tells about it, once it has loaded what was missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import ModelNotFoundError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.model_info import ModelInfo
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.context import Context


def find_model(
    context: Context, client: OllamaClient, name: str, model: ModelRef, *, insecure: bool
) -> ModelInfo | None:
    """What a daemon tells about a model; it is had to load the model where it does not have it.

    Args:
        context: Whom to show how far it is, and to ask.
        client: The daemon's.
        name: The model, as it is asked for.
        model: The same, read.
        insecure: Whether the daemon may ask the registry without TLS.

    Returns:
        The model's details; None where there is none, and a person chose the cloud's model of the same name.

    Raises:
        ModelNotFoundError: There is none.
    """
    try:
        return client.show(name)
    except ModelNotFoundError:
        if model.source == "cloud":
            raise
    return client.show(name) if load_model(context, client, name, model, insecure=insecure) else None


def load_model(context: Context, client: OllamaClient, name: str, model: ModelRef, *, insecure: bool) -> bool:
    """Have a daemon load a model that it does not have.

    Args:
        context: Whom to show how far it is, and to ask.
        client: The daemon's.
        name: The model, as it is asked for.
        model: The same, read.
        insecure: Whether the daemon may ask the registry without TLS.

    Returns:
        True; False where there is none, and a person chose the cloud's model of the same name.

    Raises:
        ModelNotFoundError: There is none.
    """
    try:
        _pull(context, client, name, insecure=insecure)
    except ModelNotFoundError as missing:
        from ollama_cli.commands.shared.cloud_twin import require_twin

        require_twin(context, client, model, missing, command="run", question="Run {}, in the cloud?")
        return False
    return True


def _pull(context: Context, client: OllamaClient, name: str, *, insecure: bool) -> None:
    from ollama_cli.commands.models.denial import explaining_denial
    from ollama_cli.terminal.transfers import TransferProgress

    with explaining_denial(client, name, "pull"), TransferProgress(context.streams) as progress:
        for step in client.pull(name, insecure=insecure):
            progress.show(step)

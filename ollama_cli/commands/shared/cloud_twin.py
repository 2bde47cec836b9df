"""Where there is no model of a name: whether there is one at ollama.com, and whether a person means that one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import CliError, ModelNotFoundError, UsageError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.context import Context
    from ollama_cli.settings import Settings


def require_twin(
    context: Context, client: OllamaClient, model: ModelRef, missing: ModelNotFoundError, *, command: str, question: str
) -> str:
    """The cloud's model of the same name, where a person chooses it.

    Args:
        context: Whom to ask.
        client: The daemon's.
        model: The model that is missing.
        missing: The error that tells so.
        command: What to type with the other name.
        question: What to ask; ``{}`` is the other name.

    Raises:
        ModelNotFoundError: There is none, or nobody agreed.
    """
    from ollama_cli.terminal.prompts import confirm
    from ollama_cli.terminal.sanitize import clean_line

    twin = model.cloud_twin
    if not _is_of_default_registry(model.base):  # its name is none of ollama.com's business
        raise missing
    try:
        client.show(twin)
    except CliError:  # there is none, or the daemon cannot tell
        raise missing from None
    if not context.streams.interactive:
        raise ModelNotFoundError(
            missing.message, hint=f"There is a cloud model of that name: `ollama-cli {command} {twin}`"
        ) from missing
    context.streams.say(clean_line(missing.message))
    if not confirm(context.streams, question.format(twin), default=True):
        raise missing
    return twin


def twin_instead(settings: Settings, command: str, model: ModelRef) -> str:
    """What else can be done where no daemon answers: ask for the model of that name at ollama.com, if it can have one.

    Args:
        settings: Say whether ollama.com is asked at all.
        command: What to type with the other name.
        model: The model that was asked for.
    """
    from ollama_cli.commands.shared.daemon import at_ollama_com

    if not _is_of_default_registry(model.base):
        return ""
    return at_ollama_com(settings, "ask the cloud", f"{command} {model.cloud_twin}")


def _is_of_default_registry(name: str) -> bool:
    from ollama_cli.api.model_name import DEFAULT_HOST, ModelName

    try:
        return ModelName.parse(name).host.lower() == DEFAULT_HOST
    except UsageError:
        return False

"""``push``: a model to its registry."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

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

    from ollama_cli.api.model_name import ModelName
    from ollama_cli.api.work_steps import WorkStep
    from ollama_cli.context import Context
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("push", cls=Command)(push)


def push(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False, help="Such as ada/tiny.")],
    insecure: Annotated[bool, typer.Option("--insecure", help="Have it sent to a registry without TLS.")] = False,
    as_json: AsJson = False,
    as_json_lines: AsJsonLines = False,
    direct: Direct = False,
    transfers: Transfers = None,
) -> None:
    """Send a model to a registry, by an Ollama server or without.

    The server does so as the device that it is itself, on the account that it is signed in to. Without one this device
    does: with --direct, or where OLLAMA_HOST names no server and none answers on this machine. The page on which people
    see the model is printed.
    """
    run(typer_context.obj, TransferOptions(as_text(model), insecure, as_json, as_json_lines, direct, transfers))


def run(context: Context, options: TransferOptions) -> None:
    """Have the daemon send the model, or send it without one, and print the page on which it can be seen.

    Raises:
        UsageError: The name is no model's.
        ModelNotFoundError: The daemon, or the store, has none of that name.
        SignInError: The daemon, or this device, is not signed in.
        ForbiddenError: The registry does not take it from the account.
    """
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.commands.models.directly import is_direct, require_no_daemon

    name = ModelName.parse(options.model)
    if not is_direct(context, options):
        try:
            _through_daemon(context, name, options)
        except UnavailableError as error:
            require_no_daemon(context, error)
        else:
            return
    _directly(context, name, options)


def _directly(context: Context, name: ModelName, options: TransferOptions) -> None:
    from ollama_cli.commands.models.directly import transfer_directly
    from ollama_cli.registry.pushing import Push
    from ollama_cli.registry.transfer import TRANSFERS
    from ollama_cli.settings.hosts import is_loopback
    from ollama_cli.transport.retries import Retries

    def send(registry: Registry, store: ModelStore) -> Generator[WorkStep]:
        retries = Retries(on_this_machine=is_loopback(registry.base_url))
        return Push(name, registry, store, retries, options.transfers or TRANSFERS).steps()

    words = "Note: without an Ollama server, from {store} to the registry {registry}."
    layers, page = transfer_directly(context, name, options, words, send)
    result = {"model": options.model, "url": page, "layers": layers, "direct": True}
    tell_result(context.streams, result, options, _in_words(name, page), page)


def _through_daemon(context: Context, name: ModelName, options: TransferOptions) -> None:
    from ollama_cli.commands.models.denial import account_of_daemon, explaining_denial
    from ollama_cli.commands.shared.daemon import changing_daemon

    with changing_daemon(context, "push", instead=WITHOUT) as client:
        # Nothing is sent where it is known that it would be refused.
        account = account_of_daemon(client) if name.at_ollama_com else None
        try:
            with explaining_denial(client, options.model, "push", account=account):
                layers = follow(context.streams, client.push(options.model, insecure=options.insecure), options)
        except ModelNotFoundError as missing:
            if missing.http_status == HTTPStatus.NOT_FOUND:
                missing.message = f"The registry has no place for {name}."
            raise
    page = name.web_page
    result = {"model": options.model, "url": page, "layers": layers}
    tell_result(context.streams, result, options, _in_words(name, page), page)


def _in_words(name: ModelName, page: str | None) -> str:
    """What has come of a push; the page on which people see the model, if there is one, follows it."""
    return f"{name} is pushed to {name.host}." if page is None else f"{name} is pushed. It can be seen at:"

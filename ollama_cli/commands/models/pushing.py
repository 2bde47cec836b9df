"""``push``: a model to its registry."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command, as_text
from ollama_cli.commands.models.transferring import AsJson, AsJsonLines, TransferOptions, follow, print_result
from ollama_cli.errors import ModelNotFoundError

if TYPE_CHECKING:
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.context import Context


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("push", cls=Command)(push)


def push(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False, help="Such as ada/tiny.")],
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let the server send it to a registry without TLS.")
    ] = False,
    as_json: AsJson = False,
    as_json_lines: AsJsonLines = False,
) -> None:
    """Have the Ollama server send a model to its registry.

    It does so as the device that it is itself, on the account that it is signed in to. The page on which people see the
    model is printed.
    """
    run(typer_context.obj, TransferOptions(as_text(model), insecure, as_json, as_json_lines))


def run(context: Context, options: TransferOptions) -> None:
    """Have the daemon send the model, show how far it is, and print the page on which it can be seen.

    Raises:
        UsageError: The name is no model's.
        ModelNotFoundError: The daemon has none of that name.
        SignInError: The daemon is not signed in.
        ForbiddenError: The registry does not take it from the daemon's account.
    """
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.commands.daemon import changing_daemon
    from ollama_cli.commands.models.denial import account_of_daemon, explaining_denial

    name = ModelName.parse(options.model)
    with changing_daemon(context, "push") as client:
        # Nothing is sent where it is known that it would be refused.
        account = account_of_daemon(client) if name.at_ollama_com else None
        try:
            with explaining_denial(client, options.model, "push", account=account):
                layers = follow(context.streams, client.push(options.model, insecure=options.insecure), options)
        except ModelNotFoundError as missing:
            if missing.http_status == HTTPStatus.NOT_FOUND:
                missing.message = f"The registry has no place for {name}."
            raise
    if options.as_json or options.as_json_lines:
        print_result(context.streams, {"model": options.model, "url": name.web_page, "layers": layers}, options)
    else:
        tell_pushed(context, name)


def tell_pushed(context: Context, name: ModelName) -> None:
    """Tell where a model can be seen now."""
    if name.web_page is None:
        context.streams.say(f"{name} is pushed to {name.host}.")
        return
    context.streams.say(f"{name} is pushed. It can be seen at:")
    context.streams.answer(name.web_page)

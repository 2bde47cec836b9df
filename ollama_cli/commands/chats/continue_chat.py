"""``chats continue``: go on with a kept chat."""

from __future__ import annotations

from typing import Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.commands.run.options import RunOptions, question_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("continue", cls=Command)(continue_chat)


def continue_chat(
    typer_context: typer.Context,
    number: Annotated[
        str, typer.Argument(metavar="[ID]", help="Its number, as `chats list` has it.", show_default=False)
    ] = "",
) -> None:
    """Go on with a kept chat, the last one without ID.

    It goes on with the model that it was held with. `run MODEL --continue=ID` goes on with another model.
    """
    from ollama_cli.commands.run.chatting import chat, require_chat, stored_chat

    context = typer_context.obj
    stored = stored_chat(context, number)
    options = RunOptions(stored.facts.model, keep=True)
    require_chat(context, options)
    chat(context, options, question_of(options, options.model, ""), stored)

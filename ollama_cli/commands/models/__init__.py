"""The commands about models: which there are, what is known of them, and what a daemon does with its own."""

from __future__ import annotations

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.commands.models.copying import copy
from ollama_cli.commands.models.deleting import delete
from ollama_cli.commands.models.listing import list_models
from ollama_cli.commands.models.pulling import pull
from ollama_cli.commands.models.pushing import push
from ollama_cli.commands.models.running import list_running
from ollama_cli.commands.models.showing import show
from ollama_cli.commands.models.stopping import stop


def register(app: typer.Typer) -> None:
    """Add the commands, and the other name of the list."""
    app.command("list", cls=Command)(list_models)
    app.command("ls", cls=Command, hidden=True)(list_models)
    app.command("show", cls=Command)(show)
    app.command("ps", cls=Command)(list_running)
    app.command("stop", cls=Command)(stop)
    app.command("cp", cls=Command)(copy)
    app.command("pull", cls=Command)(pull)
    app.command("push", cls=Command)(push)
    app.command("rm", cls=Command)(delete)

"""``keys``: the device keys of this machine."""

from __future__ import annotations

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.commands.keys.export_key import export_key
from ollama_cli.commands.keys.import_key import import_key
from ollama_cli.commands.keys.list_keys import list_keys
from ollama_cli.commands.keys.revoke import revoke
from ollama_cli.commands.keys.rotate import rotate
from ollama_cli.commands.keys.show import show


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = typer.Typer(name="keys", help="This machine's device keys.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list", cls=Command)(list_keys)
    group.command("show", cls=Command)(show)
    group.command("revoke", cls=Command)(revoke)
    group.command("rotate", cls=Command)(rotate)
    group.command("import", cls=Command)(import_key)
    group.command("export", cls=Command)(export_key)
    app.add_typer(group)

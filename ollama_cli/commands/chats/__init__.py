"""``chats``: the chats that were kept."""

from __future__ import annotations

import typer

from ollama_cli.commands.chats.continue_chat import continue_chat
from ollama_cli.commands.chats.export import export
from ollama_cli.commands.chats.list_chats import list_chats
from ollama_cli.commands.chats.remove import remove
from ollama_cli.commands.chats.search import search
from ollama_cli.commands.chats.show import show
from ollama_cli.commands.command_line import Command, LocalCommand


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = typer.Typer(name="chats", help="The chats that were kept.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list", cls=LocalCommand)(list_chats)
    group.command("show", cls=LocalCommand)(show)
    group.command("search", cls=LocalCommand)(search)
    group.command("continue", cls=Command)(continue_chat)
    group.command("export", cls=LocalCommand)(export)
    group.command("remove", cls=LocalCommand)(remove)
    app.add_typer(group)

"""``profile``: several accounts and credentials side by side."""

from __future__ import annotations

import typer

from ollama_cli.commands.command_line import LocalCommand
from ollama_cli.commands.profile.list_profiles import list_profiles
from ollama_cli.commands.profile.remove import remove
from ollama_cli.commands.profile.use import use


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = typer.Typer(
        name="profile",
        help="Accounts side by side, each with its credential.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list", cls=LocalCommand)(list_profiles)
    group.command("use", cls=LocalCommand)(use)
    group.command("remove", cls=LocalCommand)(remove)
    app.add_typer(group)

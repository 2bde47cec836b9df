"""``chats``: the chats that were kept."""

from __future__ import annotations

import typer

from ollama_cli.commands.lazy import Listed, lazy_group

COMMANDS = (
    Listed("list", "chats.list_chats", "List the chats that were kept, the last changed first."),
    Listed("show", "chats.show", "Show a kept chat."),
    Listed("search", "chats.search", "Search what was said in kept chats."),
    Listed("continue", "chats.continue_chat", "Go on with a kept chat, the last one without ID."),
    Listed("export", "chats.export", "Write a kept chat as Markdown or JSON, to a file or to stdout."),
    Listed("remove", "chats.remove", "Remove kept chats."),
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = lazy_group(COMMANDS)
    app.add_typer(typer.Typer(name="chats", cls=group, help="The chats that were kept.", no_args_is_help=True))

"""``profile``: several accounts and credentials side by side."""

from __future__ import annotations

import typer

from ollama_cli.commands.lazy import Listed, lazy_group

COMMANDS = (
    Listed("list", "profile.list_profiles", "List the profiles of this machine, and what each keeps."),
    Listed("use", "profile.use", "Have a profile count wherever none is named."),
    Listed(
        "remove",
        "profile.remove",
        "Forget a profile with all that it keeps.",
    ),
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = lazy_group(COMMANDS)
    summary = "Accounts side by side, each with a credential of its own."
    app.add_typer(typer.Typer(name="profile", cls=group, help=summary, no_args_is_help=True))

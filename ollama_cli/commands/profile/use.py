"""``profile use``: which profile counts where none is named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand
from ollama_cli.commands.profile.given import refuse_other_choices

if TYPE_CHECKING:
    from ollama_cli.context import Context


@dataclass(frozen=True)
class UseOptions:
    """What the command line of ``profile use`` says.

    Attributes:
        name: The profile.
        as_json: Whether to print JSON.
    """

    name: str
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("use", cls=LocalCommand)(use)


def use(
    typer_context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PROFILE", show_default=False, help="A profile of `profile list`.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Have a profile count wherever none is named.

    The profile `default` is always there.
    """
    run(typer_context.obj, UseOptions(name, as_json))


def run(context: Context, options: UseOptions) -> None:
    """Note which profile counts, and say what counts before it.

    Raises:
        UsageError: There is no such profile.
        StoreError: The list of what is stored cannot be written.
    """
    from ollama_cli.credentials.given import named_in_environment
    from ollama_cli.settings.profile_name import profile_name

    refuse_other_choices(context)
    name = profile_name(options.name, "PROFILE")
    changed = context.wallet.profiles.use(name)
    if options.as_json:
        context.streams.answer(json.dumps({"profile": name, "changed": changed}))
    else:
        context.streams.say(f"The profile {name} is the current one{'' if changed else ' already'}.")
    before = named_in_environment(context.settings)
    if before is not None:
        context.streams.say(f"Note: {before} is used before it.")
    if context.settings.profile not in {None, name}:
        context.streams.say(f"Note: OLLAMA_CLI_PROFILE has the profile {context.settings.profile} count.")

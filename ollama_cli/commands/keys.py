"""``keys``: the device keys of this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.errors import SignInError

if TYPE_CHECKING:
    from ollama_cli.context import Context


@dataclass(frozen=True)
class RevokeOptions:
    """What the command line of ``keys revoke`` says.

    Attributes:
        yes: Whether it was agreed to beforehand.
        as_json: Whether to print JSON.
    """

    yes: bool = False
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = typer.Typer(name="keys", help="This machine's device keys.", no_args_is_help=True, rich_markup_mode=None)
    group.command("revoke", cls=Command)(revoke)
    app.add_typer(group)


def revoke(
    typer_context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Take this device's key off your account, and forget it.

    Asks first at a terminal; a script says --yes. Always acts at ollama.com, never through an Ollama server.
    """
    run_revoke(typer_context.obj, RevokeOptions(yes, as_json))


def run_revoke(context: Context, options: RevokeOptions) -> None:
    """Revoke this device's key.

    Raises:
        SignInError: There is none, or the server does not know it.
        UsageError: Nobody is there to agree, and ``--yes`` was not given.
    """
    from ollama_cli.account.refusal import API_KEYS_PAGE
    from ollama_cli.account.signout import Outcome, take_off
    from ollama_cli.api.place import cloud_place
    from ollama_cli.terminal.prompts import confirm

    place = cloud_place(context.settings)
    key_name = context.key_name(place)
    stored = context.wallet.find(key_name)
    if stored is None:
        raise SignInError("This machine has no device key.", hint=f"Keys of other devices: {API_KEYS_PAGE}")
    key = stored.credential
    if not options.yes:
        context.require_interactive(
            "Revoking this device's key signs it out.", "Say --yes to do it without a question."
        )
        if not confirm(context.streams, f"Revoke {key.fingerprint}, and sign this device out?", default=False):
            context.streams.say("Nothing was revoked.")
            raise typer.Exit(1)
    outcome = take_off(context.client(place, stored), context.wallet, key_name, key.encoded)
    if options.as_json:
        context.streams.answer(json.dumps({"fingerprint": key.fingerprint, "outcome": outcome.value}))
    else:
        context.streams.say(f"{key.fingerprint}: {_SENTENCES[outcome.value]}")
    if outcome is Outcome.NOT_SIGNED_IN:
        raise SignInError("The server did not know the key; it is forgotten here.", hint="Run `ollama-cli signin`.")


_SENTENCES = {"taken_off": "revoked, and forgotten here.", "not_signed_in": "was not on any account."}

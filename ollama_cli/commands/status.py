"""``status``: who is signed in, where, and with what."""

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
class StatusOptions:
    """What the command line of ``status`` says.

    Attributes:
        quiet: Whether only the exit status counts.
        as_json: Whether to print JSON.
        cloud: Whether to ask ollama.com whatever OLLAMA_HOST says.
    """

    quiet: bool = False
    as_json: bool = False
    cloud: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status", cls=Command)(status)


def status(
    typer_context: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no result; the exit status tells.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="At ollama.com, whatever OLLAMA_HOST says.")] = False,
) -> None:
    """Show the account, the credential in use, and where it is stored.

    Ends with status 0 when signed in, 4 when signed out, and 7 when the server could not be asked.
    """
    run(typer_context.obj, StatusOptions(quiet, as_json, cloud))


def run(context: Context, options: StatusOptions) -> None:
    """Ask the server who is signed in, and print it.

    Raises:
        SignInError: Nobody is.
    """
    from ollama_cli.account.refusal import daemon_refusal, refusal
    from ollama_cli.api.place import account_place
    from ollama_cli.commands.rotating import in_words, rotation_of
    from ollama_cli.credentials.credential import ApiKey, StoredKey
    from ollama_cli.credentials.key_facts import iso_time
    from ollama_cli.terminal.facts import show_facts
    from ollama_cli.terminal.words import moment_of, time_in_words

    place = account_place(context.settings, cloud=options.cloud)
    active = context.credential(place) if place.kind == "cloud" else context.daemon_credential(place)
    account, refused = None, None
    if active is not None or place.kind == "daemon":
        account, refused = context.client(place, active).account()
        if account is not None and place.kind == "cloud":
            context.note_signed_in(place, active)
    fingerprint = None
    if active is None:
        kind = None
    elif isinstance(active.credential, ApiKey):
        kind = "API key"
    else:
        kind, fingerprint = "device key", active.credential.fingerprint
    facts = {
        "place": place.base_url,
        "account": account.name if account else None,
        "email": account.email if account else None,
        "plan": account.plan if account else None,
        "credential": kind,
        "fingerprint": fingerprint,
        "source": active.source if active else None,
    }
    made = iso_time(active.made_at) if isinstance(active, StoredKey) else None
    rotation = rotation_of(context, place) if isinstance(active, StoredKey) else None
    if options.as_json and not options.quiet:
        answer = {"signed_in": account is not None, **facts, "made": made, "rotation": rotation}
        context.streams.answer(json.dumps(answer))
    elif not options.quiet:
        told = {name.capitalize(): value for name, value in facts.items()}
        told["Made"] = time_in_words(moment_of(made)) if made else None
        show_facts(context.streams, {**told, "Rotation": in_words(rotation) if rotation else None})
    if account is None:
        if options.quiet and not options.as_json:
            raise typer.Exit(SignInError.status)
        if place.kind == "daemon":
            raise daemon_refusal(place.base_url, active, refused)
        raise refusal(active, context.link_for(place, active), refused)

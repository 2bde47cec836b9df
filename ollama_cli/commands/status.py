"""``status``: who is signed in, where, and with what."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.errors import SignInError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Active


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
    """Show the account, the credential, and where it is stored.

    Ends with status 0 when signed in, 4 when signed out, and 7 when the server could not be asked.
    """
    run(typer_context.obj, StatusOptions(quiet, as_json, cloud))


def run(context: Context, options: StatusOptions) -> None:
    """Ask the server who is signed in, and print it.

    Raises:
        SignInError: Nobody is.
    """
    from ollama_cli.account.api_keys import account_of
    from ollama_cli.account.refusal import daemon_refusal, refusal
    from ollama_cli.api.place import account_place
    from ollama_cli.commands.shared.signin_when_refused import was_replaced

    place = account_place(context.settings, cloud=options.cloud)
    active = context.credential(place) if place.kind == "cloud" else context.daemon_credential(place)
    account, refused, signed_in = None, None, False
    if active is not None or place.kind == "daemon":
        account, refused, signed_in = account_of(context.client(place, active), active)
        if not signed_in and place.kind == "cloud" and was_replaced(context, place, active):
            active = context.credential(place)
            account, refused, signed_in = account_of(context.client(place, active), active)
        if signed_in:
            context.note_used(place, active, signed_in=place.kind == "cloud")
    facts = {
        "place": place.base_url,
        "account": account.name if account else None,
        "email": account.email if account else None,
        "plan": account.plan if account else None,
        **_credential_facts(context, place, active),
    }
    if not options.quiet:
        _show(context, facts, signed_in=signed_in, as_json=options.as_json)
    if not signed_in:
        if options.quiet and not options.as_json:
            raise typer.Exit(SignInError.status)
        if place.kind == "daemon":
            raise daemon_refusal(place.base_url, active, refused)
        raise refusal(active, context.link_for(place, active), refused)


def _credential_facts(context: Context, place: Place, active: Active | None) -> dict[str, str | None]:
    """What can be told of the credential that counts, and of those that it is used before."""
    from ollama_cli.commands.shared.rotating import rotation_of
    from ollama_cli.credentials.credential import ApiKey, StoredKey, StoredSecret, is_device_key
    from ollama_cli.credentials.key_facts import iso_time

    kind = fingerprint = made = profile = None
    if active is not None:
        kind = "API key" if isinstance(active.credential, ApiKey) else "token"
        if is_device_key(active.credential):
            kind, fingerprint = "device key", active.credential.fingerprint
    if isinstance(active, StoredKey):
        made = iso_time(active.made_at)
    elif isinstance(active, StoredSecret):
        made = iso_time(active.record.created_at)
    if active is None or isinstance(active, StoredKey | StoredSecret):
        with suppress(StoreError):  # of a daemon that asks for nothing, nothing needs to be known
            profile = context.wallet.profile
    return {
        "credential": kind,
        "fingerprint": fingerprint,
        "source": active.source if active else None,
        "profile": profile,
        "not_used": "; ".join(_passed_over(context, place, active)) or None,
        "made": made,
        "rotation": rotation_of(context, place) if isinstance(active, StoredKey) else None,
    }


def _passed_over(context: Context, place: Place, active: Active | None) -> Iterator[str]:
    """What is there for a place as well, and not used: of the environment's, and what the profile keeps."""
    from ollama_cli.credentials.chosen import is_cloud, record_for
    from ollama_cli.credentials.credential import StoredKey, StoredSecret
    from ollama_cli.credentials.given import all_named_in_environment

    if is_cloud(context.settings, place.origin):
        used = active.source.partition(" ")[0] if active is not None else None
        yield from (name for name in all_named_in_environment(context.settings) if name != used)
    if active is None or isinstance(active, StoredKey | StoredSecret):
        return
    with suppress(StoreError):
        wallet = context.wallet
        record = record_for(wallet, context.key_name(place), in_cloud=place.kind == "cloud")
        if record is not None:
            yield f"the {record.in_words} of profile {wallet.profile}, in {wallet.describe_store(record)}"


def _show(context: Context, facts: Mapping[str, str | None], *, signed_in: bool, as_json: bool) -> None:
    from ollama_cli.commands.shared.rotating import in_words
    from ollama_cli.terminal.facts import show_facts
    from ollama_cli.terminal.words import moment_of, time_in_words

    if as_json:
        context.streams.answer(json.dumps({"signed_in": signed_in, **facts}))
        return
    made, rotation = facts["made"], facts["rotation"]
    told = {name.capitalize().replace("_", " "): value for name, value in facts.items()}
    told |= {"Made": time_in_words(moment_of(made)) if made else None}
    show_facts(context.streams, {**told, "Rotation": in_words(context, rotation) if rotation else None})

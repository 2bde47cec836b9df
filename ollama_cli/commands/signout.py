"""``signout``: take this device off its account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.errors import DeclinedError, SignInError, StoreError, UsageError
from ollama_cli.settings.hosts import KEYS_PAGE

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context


_SIGNED_OUT_ALREADY = "This device is signed out already."


@dataclass(frozen=True)
class SignoutOptions:
    """What the command line of ``signout`` says.

    Attributes:
        local_only: Whether to forget the key without asking the server.
        as_json: Whether to print JSON.
        cloud: Whether to go to ollama.com whatever OLLAMA_HOST says.
        token: Whether the token for a daemon is to be forgotten.
        host: That daemon.
    """

    local_only: bool = False
    as_json: bool = False
    cloud: bool = False
    token: bool = False
    host: str | None = None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("signout", cls=Command)(signout)


def signout(
    typer_context: typer.Context,
    local_only: Annotated[
        bool, typer.Option("--local-only", help="Forget the key here without asking the server.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="At ollama.com, whatever OLLAMA_HOST says.")] = False,
    token: Annotated[bool, typer.Option("--token", help="Forget the token for the server of --host.")] = False,
    host: Annotated[str | None, typer.Option("--host", metavar="URL", help="The Ollama server of --token.")] = None,
) -> None:
    """Take this device off your account, and forget its key.

    Of a profile with an API key, that is forgotten here. The key is forgotten only once the server has said that the
    device is off; when it cannot be asked, nothing is forgotten and the status is 7. An API key goes on being valid
    until it is revoked on the account's page.
    """
    run(typer_context.obj, SignoutOptions(local_only, as_json, cloud, token, host))


def run(context: Context, options: SignoutOptions) -> None:
    """Sign out, and say what that did.

    Raises:
        UsageError: ``--local-only`` is given where the command acts on an Ollama server.
    """
    from ollama_cli.api.place import account_place
    from ollama_cli.commands.shared.still_active import tell_what_stays_active

    if options.token or options.host is not None:
        _forget_token(context, options)
        return
    settings = context.settings
    if options.local_only:
        settings = settings._replace(no_cloud=None)  # nobody is asked, so it does not matter who may not be
    place = account_place(settings, cloud=options.cloud)
    if place.kind == "daemon" and options.local_only:
        raise UsageError(
            f"--local-only forgets a key of this device, and the Ollama server at {place.base_url} keeps its own.",
            hint="Leave out --local-only; or add --cloud to forget this device's key for ollama.com.",
        )
    if place.kind == "daemon":
        outcome, text = _sign_out_daemon(context, place)
    else:
        outcome, text = sign_out(context, place, local_only=options.local_only)
    if options.as_json:
        context.streams.answer(json.dumps({"signed_in": False, "outcome": outcome}))
    else:
        context.streams.say(text)
    if place.kind == "cloud":
        tell_what_stays_active(context, place)


def _forget_token(context: Context, options: SignoutOptions) -> None:
    from ollama_cli.commands.shared.daemon_token import forget_token

    if options.host is None or not options.token:
        raise UsageError("--token and --host go together.", hint="Write signout --host URL --token.")
    for name, given in {"--local-only": options.local_only, "--cloud": options.cloud}.items():
        if given:
            raise UsageError(f"{name} does not go with --token.", hint=f"Leave out {name}.")
    context.require_profile()
    outcome, text = forget_token(context, options.host)
    if options.as_json:
        context.streams.answer(json.dumps({"signed_in": False, "outcome": outcome}))
    else:
        context.streams.say(text)


def sign_out(context: Context, place: Place, *, local_only: bool) -> tuple[str, str]:
    """Take the profile's device off its account, and forget what the profile keeps for ollama.com.

    Args:
        context: What the command works with.
        place: ollama.com, or what stands in for it.
        local_only: Whether to forget without asking the server.

    Returns:
        What became of it, in a word and in words.

    Raises:
        DeclinedError: A person does not want to.
        CliError: The server could not be asked, or the store not be used; nothing is forgotten then.
    """
    context.require_profile()
    key_name = context.key_name(place)
    api_key = context.wallet.secrets.forget(key_name, api_key=True)
    if api_key is not None and context.wallet.record(key_name) is None:
        return "forgotten", (
            f"The API key is forgotten here. It is valid until you revoke it: {place.base_url}/settings/keys"
        )
    return _forget_unasked(context, key_name) if local_only else _take_off(context, place)


def _forget_unasked(context: Context, key_name: str) -> tuple[str, str]:
    """Forget the device key, and the other one of a rotation, without asking the server; what became of it."""
    rotating = context.wallet.rotation(key_name).record is not None
    if not rotating and context.wallet.record(key_name) is None:
        return "not_signed_in", _SIGNED_OUT_ALREADY
    context.wallet.forget(key_name)
    what = "The keys of its rotation are" if rotating else "The key is"
    return "forgotten", f"{what} forgotten here. The device may still be on your account: {KEYS_PAGE}"


def _take_off(context: Context, place: Place) -> tuple[str, str]:
    """Take the device off, if there is one, and forget its key; what became of it, in a word and in words."""
    from ollama_cli.account.signout import Outcome, take_off
    from ollama_cli.commands.shared.ollama_key import agreed_for_both
    from ollama_cli.commands.shared.rotating import put_rotation_away

    key_name = context.key_name(place)
    record = context.wallet.record(key_name)
    if record is None:
        put_rotation_away(context, place)
        return "not_signed_in", _SIGNED_OUT_ALREADY
    stored = context.wallet.find(key_name)
    if stored is None:
        put_rotation_away(context, place)
        context.wallet.forget(key_name, record.public_key)
        return "key_lost", (
            f"The key is no longer in its store, so the server could not be told. Take the device off at {KEYS_PAGE}"
        )
    if not agreed_for_both(context, stored):
        raise DeclinedError("Nothing was signed out.")
    put_rotation_away(context, place)
    client = context.client(place, stored)
    outcome = take_off(client, context.wallet, key_name, stored.credential)
    if context.wallet.record(key_name) is not None:
        raise StoreError(
            "Another command has put a new key in the place of the one that was to be signed out, which is gone.",
            hint="`ollama-cli status` tells whether that one is signed in, `ollama-cli signout` signs it out.",
            code="keys_changed",
        )
    if outcome is Outcome.NOT_SIGNED_IN:
        return "not_signed_in", "This device was signed out already; its key is forgotten."
    return "signed_out", "Signed out: this device is off your account, and its key is forgotten."


def _sign_out_daemon(context: Context, place: Place) -> tuple[str, str]:
    from ollama_cli.api.account_work import no_ollama_server

    try:
        context.client(place, context.daemon_credential(place)).sign_out_daemon()
    except SignInError as refused:
        if refused.code == "clock_wrong":
            raise
        if not refused.told_by_api:
            raise no_ollama_server() from refused
        return "not_signed_in", f"The Ollama server at {place.base_url} is signed out already."
    return "signed_out", f"Signed out the Ollama server at {place.base_url}."

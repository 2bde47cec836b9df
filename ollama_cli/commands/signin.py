"""``signin``: put this device on an account."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import SecretCommand
from ollama_cli.commands.shared.approving import (
    ApprovalOptions,
    DeviceName,
    NoBrowser,
    NoWait,
    Qr,
    Timeout,
    waiting_for,
)
from ollama_cli.errors import SignInError, UsageError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.account.signin import Waiting
    from ollama_cli.api.account import Account
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context


@dataclass(frozen=True)
class SigninOptions:
    """What the command line of ``signin`` says.

    Attributes:
        approval: How the approval is waited for.
        as_json: Whether to print JSON.
        cloud: Whether to go to ollama.com whatever OLLAMA_HOST says.
        use_ollama_key: Whether this device takes the installed Ollama's key.
        api_key: Whether the profile gets an API key in the place of a device key.
        token: Whether it gets a token for a daemon.
        host: The daemon that the token is for.
        basic: Whether the token is a name and a password.
    """

    approval: ApprovalOptions = field(default_factory=ApprovalOptions)
    as_json: bool = False
    cloud: bool = False
    use_ollama_key: bool = False
    api_key: bool = False
    token: bool = False
    host: str | None = None
    basic: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("signin", cls=SecretCommand)(signin)


def signin(
    typer_context: typer.Context,
    no_browser: NoBrowser = False,
    qr: Qr = False,
    timeout: Timeout = None,
    no_wait: NoWait = False,
    name: DeviceName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="At ollama.com, whatever OLLAMA_HOST says.")] = False,
    use_ollama_key: Annotated[
        bool, typer.Option("--use-ollama-key", help="Use the installed Ollama's key, so that both are one device.")
    ] = False,
    api_key: Annotated[
        bool, typer.Option("--api-key", help="With an API key, from stdin or asked for, in the place of a device key.")
    ] = False,
    token: Annotated[
        bool, typer.Option("--token", help="Keep a token for the server of --host, from stdin or asked for.")
    ] = False,
    host: Annotated[
        str | None, typer.Option("--host", metavar="URL", help="The Ollama server that --token is for.")
    ] = None,
    basic: Annotated[bool, typer.Option("--basic", help="The token is NAME:PASSWORD, for Basic.")] = False,
) -> None:
    """Sign this device in to your ollama.com account.

    Makes a key for this device, if there is none, keeps it in the system's keyring, and prints the link on which you
    approve it. Ends with status 4 when it is not approved in the end.

    An API key or a token is read from standard input or asked for, tried at its server, and kept only if it works.
    """
    options = SigninOptions(
        approval=ApprovalOptions(not no_browser, qr, timeout, not no_wait, name),
        as_json=as_json,
        cloud=cloud,
        use_ollama_key=use_ollama_key,
        api_key=api_key,
        token=token,
        host=host,
        basic=basic,
    )
    run(typer_context.obj, options)


def run(context: Context, options: SigninOptions) -> None:
    """Sign in, and say who signed in.

    Raises:
        SignInError: Nobody approved it in time, or nobody was waited for.
        UsageError: The device's name is too long, or options do not go together.
    """
    from ollama_cli.api.place import account_place

    if options.api_key or options.token or options.host is not None or options.basic:
        _keep_secret(context, options)
        return
    waiting = waiting_for(context.streams, options.approval, as_json=options.as_json)
    place = account_place(context.settings, cloud=options.cloud)
    if place.kind == "daemon":
        _refuse_at_daemon(place, options)
        _sign_in(context, place, options, waiting)
    else:
        _sign_in_this_device(context, place, options, waiting)


def _refuse_at_daemon(place: Place, options: SigninOptions) -> None:
    """Refuse what is about this device's key, where a daemon signs in with its own.

    Raises:
        UsageError: Something of it is given.
    """
    if options.approval.name is not None:
        raise UsageError(
            f"The Ollama server at {place.base_url} names itself when it signs in.",
            hint="Leave out --name; or add --cloud to sign this device in at ollama.com.",
        )
    if options.use_ollama_key:
        raise UsageError(
            f"The Ollama server at {place.base_url} signs in with its own key already.",
            hint="Leave out --use-ollama-key; or add --cloud to sign this device in at ollama.com.",
        )


def _sign_in_this_device(context: Context, place: Place, options: SigninOptions, waiting: Waiting) -> None:
    """Sign this device in at ollama.com, with the credential that the profile has, or gets now."""
    from ollama_cli.commands.shared.leaving_keyring import leave_unusable_keyring
    from ollama_cli.commands.shared.rotating import tell_of_rotation
    from ollama_cli.commands.shared.still_active import tell_what_counts_before

    if context.wallet.secrets.record(context.key_name(place), api_key=True) is not None:
        _sign_in_with_kept_api_key(context, place, options)
        return
    leave_unusable_keyring(context, place)
    if options.use_ollama_key:
        from ollama_cli.commands.shared.ollama_key import use_ollama_key

        use_ollama_key(context, place)
    _sign_in(context, place, options, waiting)
    tell_what_counts_before(context, place)
    tell_of_rotation(context, place)


def _sign_in_with_kept_api_key(context: Context, place: Place, options: SigninOptions) -> None:
    from ollama_cli.commands.signin_api_key import with_kept_api_key

    if options.use_ollama_key:
        from ollama_cli.credentials.conflicts import api_key_there

        raise api_key_there()
    with_kept_api_key(context, place, as_json=options.as_json)


def _sign_in(context: Context, place: Place, options: SigninOptions, waiting: Waiting) -> None:
    """Sign a device in, this one or a daemon's, and say who signed in."""
    from ollama_cli.commands.shared.still_active import in_profile

    streams = context.streams
    facts: dict[str, str] = {}
    try:
        if place.kind == "daemon":
            account = sign_in_daemon(context, place, waiting)
        else:
            account, stored = context.sign_in(place, waiting, name=options.approval.name)
            facts = {
                "fingerprint": stored.credential.fingerprint,
                "store": stored.source,
                "profile": context.wallet.profile,
            }
    except SignInError as error:
        if options.as_json:
            streams.answer(json.dumps({"signed_in": False, "signin_url": error.signin_url}))
            raise
        raise error.without_link() from None  # it was printed already
    if options.as_json:
        who = {"signed_in": True, "account": account.name, "email": account.email, "plan": account.plan}
        streams.answer(json.dumps({**who, **facts}))
    else:
        where = in_profile(context) if place.kind == "cloud" else ""
        streams.say(f"Signed in as {clean_line(account.name)}{where}.")


def _keep_secret(context: Context, options: SigninOptions) -> None:
    from ollama_cli.commands.shared.daemon_token import keep_token
    from ollama_cli.commands.signin_api_key import keep_api_key

    _refuse_what_does_not_fit(options)
    if options.api_key:
        keep_api_key(context, cloud=options.cloud, browser=options.approval.browser, as_json=options.as_json)
    else:
        keep_token(context, options.host or "", basic=options.basic, as_json=options.as_json)


def _refuse_what_does_not_fit(options: SigninOptions) -> None:
    """Make sure that every option that is given says something about an API key or a token.

    Raises:
        UsageError: One does not.
    """
    if options.token != (options.host is not None) or options.basic > options.token:
        raise UsageError(
            "--token and --host go together, and --basic goes with them.", hint="Write signin --host URL --token."
        )
    if options.api_key and options.token:
        raise UsageError("Use one of --api-key and --token.")
    approval = options.approval
    others = {
        "--use-ollama-key": options.use_ollama_key,
        "--qr": approval.qr,
        "--name": approval.name is not None,
        "--timeout": approval.timeout is not None,
        "--no-wait": not approval.wait,
        "--cloud": options.cloud and options.token,
        "--no-browser": not approval.browser and options.token,
    }
    for name, given in others.items():
        if given:
            ours = "--api-key" if options.api_key else "--token"
            raise UsageError(f"{name} does not go with {ours}.", hint=f"Leave out {name}.")


def sign_in_daemon(context: Context, place: Place, waiting: Waiting) -> Account:
    """Sign a daemon's own device in, as the reference client does: the daemon knows the link.

    Its link is shown with the fingerprint of the key that it would approve, and opened only on a yes.

    Raises:
        SignInError: It is not signed in in the end, or its link is none that may be followed.
    """
    from ollama_cli.account.refusal import daemon_link, daemon_refusal
    from ollama_cli.account.signin import wait_for_approval
    from ollama_cli.credentials.public_key import fingerprint_of
    from ollama_cli.signing.connect_link import key_in
    from ollama_cli.terminal.browser import open_in_browser
    from ollama_cli.terminal.prompts import confirm

    active = context.daemon_credential(place)
    client = context.client(place, active)
    account, refused = client.account()
    if account is not None:
        return account
    link = daemon_link(active, refused)
    public_key = key_in(link) if link else None
    if link is None or public_key is None:
        raise daemon_refusal(place.base_url, active, refused, asked_for_link=True)
    context.streams.say(f"The Ollama server at {place.base_url} asks to be signed in as a device of its own,")
    context.streams.say(f"with the key {fingerprint_of(public_key)}.")
    if waiting.browser:
        waiting = replace(waiting, browser=confirm(context.streams, "Open its link in the browser?", default=False))
    return wait_for_approval(client, context.streams, link, waiting, open_in_browser)

"""``signin``: put this device on an account."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import SecretCommand, seconds
from ollama_cli.errors import SignInError, UsageError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.account.signin import Waiting
    from ollama_cli.api.account import Account
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.terminal.streams import Streams


@dataclass(frozen=True)
class SigninOptions:
    """What the command line of ``signin`` says.

    Attributes:
        browser: Whether to open one.
        timeout: Seconds to wait; None is the default for where it runs.
        wait: Whether to wait at all.
        name: What to call this device; None is the host name.
        as_json: Whether to print JSON.
        cloud: Whether to go to ollama.com whatever OLLAMA_HOST says.
        qr: Whether to draw the link as a QR code too.
        use_ollama_key: Whether this device takes the installed Ollama's key.
        api_key: Whether the profile gets an API key in the place of a device key.
        token: Whether it gets a token for a daemon.
        host: The daemon that the token is for.
        basic: Whether the token is a name and a password.
    """

    browser: bool = True
    timeout: float | None = None
    wait: bool = True
    name: str | None = None
    as_json: bool = False
    cloud: bool = False
    qr: bool = False
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
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the link only.")] = False,
    qr: Annotated[bool, typer.Option("--qr", help="Draw the link as a QR code too, on stderr.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0, callback=seconds, metavar="SECONDS", help="How long to wait for the approval."
        ),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the link and end.")] = False,
    name: Annotated[
        str | None, typer.Option("--name", metavar="DEVICE", help="What to call this device; by default its host name.")
    ] = None,
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
        browser=not no_browser,
        timeout=timeout,
        wait=not no_wait,
        name=name,
        as_json=as_json,
        cloud=cloud,
        qr=qr,
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
        UsageError: The device's name is too long.
    """
    from ollama_cli.api.place import account_place

    if options.api_key or options.token or options.host is not None or options.basic:
        _keep_secret(context, options)
        return
    waiting = waiting_for(context.streams, options)
    place = account_place(context.settings, cloud=options.cloud)
    if place.kind == "daemon" and options.name is not None:
        raise UsageError(
            f"The Ollama server at {place.base_url} names itself when it signs in.",
            hint="Leave out --name; or add --cloud to sign this device in at ollama.com.",
        )
    if place.kind == "cloud":
        from ollama_cli.commands.leaving_keyring import leave_unusable_keyring
        from ollama_cli.commands.still_active import tell_what_counts_before

        if context.wallet.secrets.record(context.key_name(place), api_key=True) is not None:
            from ollama_cli.commands.signin_api_key import with_kept_api_key

            with_kept_api_key(context, place, options)
            return
        leave_unusable_keyring(context, place)
    if options.use_ollama_key:
        from ollama_cli.commands.shared_key import use_ollama_key

        use_ollama_key(context, place)
    _sign_in(context, place, options, waiting)
    if place.kind == "cloud":
        from ollama_cli.commands.rotating import tell_of_rotation

        tell_what_counts_before(context, place)
        tell_of_rotation(context, place)


def _sign_in(context: Context, place: Place, options: SigninOptions, waiting: Waiting) -> None:
    """Sign a device in, this one or a daemon's, and say who signed in."""
    from ollama_cli.commands.still_active import in_profile

    streams = context.streams
    facts: dict[str, str] = {}
    try:
        if place.kind == "daemon":
            account = sign_in_daemon(context, place, waiting)
        else:
            account, stored = context.sign_in(place, waiting, name=options.name)
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


def waiting_for(streams: Streams, options: SigninOptions) -> Waiting:
    """How to wait for the approval, by what the command line says and whether somebody is there.

    Raises:
        UsageError: The device's name is too long.
    """
    from ollama_cli.account.signin import SECONDS_FOR_A_PERSON, Waiting
    from ollama_cli.context import LONGEST_DEVICE_NAME

    if options.name is not None and len(options.name) > LONGEST_DEVICE_NAME:
        raise UsageError(
            f"A device's name has at most {LONGEST_DEVICE_NAME} characters.", hint="Give a shorter --name."
        )
    seconds = options.timeout if options.timeout is not None else SECONDS_FOR_A_PERSON if streams.interactive else 0
    return Waiting(
        seconds=seconds if options.wait else 0,
        browser=options.browser and streams.interactive,
        print_link=_link_printer(streams, options),
    )


def _keep_secret(context: Context, options: SigninOptions) -> None:
    from ollama_cli.commands.daemon_token import keep_token
    from ollama_cli.commands.secret_input import refuse_what_does_not_fit
    from ollama_cli.commands.signin_api_key import keep_api_key

    refuse_what_does_not_fit(options)
    (keep_api_key if options.api_key else keep_token)(context, options)


def _link_printer(streams: Streams, options: SigninOptions) -> Callable[[str], None]:
    """What shows the link: on a line that holds nothing else, so that it can be copied whole at any width."""

    def show(link: str) -> None:
        if options.qr:
            from ollama_cli.terminal.qr import show_qr

            show_qr(streams, link)
        (streams.say if options.as_json else streams.answer)(link)

    return show


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

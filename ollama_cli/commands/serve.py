"""``serve``: Ollama's local API on this machine, with its cloud requests signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.errors import CliError, SafetyError, UsageError
from ollama_cli.settings.hosts import host_of_option, is_loopback

if TYPE_CHECKING:
    import socket

    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.secret import Secret
    from ollama_cli.serve.signer import KeySource

DEFAULT_HOST = "127.0.0.1"
TOKEN_VARIABLE = "OLLAMA_CLI_SERVE_TOKEN"  # noqa: S105 - the name of the variable
_TOKEN_FILE = "serve-token"  # noqa: S105 - the name of the file


@dataclass(frozen=True)
class ServeOptions:
    """What the command line of ``serve`` says.

    Attributes:
        host: The address to listen at, or None for this machine's own.
        port: The port, 0 for any that is free, or None for Ollama's.
        socket: The socket in the file system to listen at instead, or None.
        daemon: The Ollama server that answers what is not the cloud's, or None.
        allowed_hosts: Names by which it may be asked besides this machine's own.
        token: Whether requests have to bring a token.
        token_file: The file that has it, or None.
        as_json: Whether to print JSON.
    """

    host: str | None = None
    port: int | None = None
    socket: Path | None = None
    daemon: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    token: bool = False
    token_file: Path | None = None
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", cls=Command)(serve)


def serve(
    typer_context: typer.Context,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="Where to listen; 127.0.0.1 if not given.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65535, help="The port; 11434 if not given, and 0 is any free one."
        ),
    ] = None,
    socket: Annotated[
        Path | None, typer.Option("--socket", metavar="FILE", help="Listen at a socket for you alone instead (0600).")
    ] = None,
    daemon: Annotated[
        str | None, typer.Option("--daemon", metavar="URL", help="The Ollama server for everything else.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="NAME", help="A name to be asked by (repeatable).")
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="Answer only who brings the token; see docs/serve.md for where it is.")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="The same, with the token in FILE; - is stdin.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it listens as one JSON object.")] = False,
) -> None:
    """Run Ollama's API here, for programs that ask cloud models.

    Requests for models whose name ends in -cloud or :cloud are signed and go to ollama.com. Everything else goes to
    the Ollama server that --daemon names.
    """
    options = ServeOptions(host, port, socket, daemon, tuple(allow_host or ()), token, token_file, as_json)
    run(typer_context.obj, options)


def run(context: Context, options: ServeOptions) -> None:
    """Serve until Ctrl-C.

    Raises:
        UsageError: An option cannot be used, or the port cannot be had.
        SafetyError: Others would reach it, and no token is asked for.
        SignInError: The profile that is named is not there.
        StoreError: A token cannot be kept.
    """
    from ollama_cli.api.place import Place, cloud_place
    from ollama_cli.serve.account import Devices
    from ollama_cli.serve.origins import Hosts, Origins
    from ollama_cli.serve.server import Setup, serve

    context.require_profile()
    settings = context.settings
    place = Place("cloud", settings.cloud_url, authenticated=True) if settings.no_cloud else cloud_place(settings)
    token, daemon = _token(context, options), _daemon_url(options.daemon)
    hosts = Hosts(options.allowed_hosts)
    keys = _key_source(context, place)
    with _listening(options, has_token=token is not None) as (listener, address):
        _refuse_itself(listener, daemon)
        if context.approves_itself:
            _sign_in_to_sandbox(context, place)
        if context.streams.interactive and not settings.no_cloud:  # a passphrase is asked for now, or not at all
            with suppress(CliError):  # which is told once it serves, and to who asks
                keys.read()
        setup = Setup(
            listener=listener,
            address=address,
            cloud_url=None if settings.no_cloud else place.base_url,
            keys=keys,
            devices=Devices(
                wallet=context.wallet,
                key_name=context.key_name(place),
                client=lambda active: context.client(place, active, silent=True),
                note_signed_in=lambda active: context.note_signed_in(place, active),
            ),
            daemon_url=daemon,
            hosts=None if options.socket else hosts,
            origins=Origins(settings.origins),
            token=token,
            observe=context.streams.say if context.options.debug else None,
            tell=context.streams.say,
            on_ready=lambda: _tell_json(context, options, address),
        )
        serve(setup)


def _key_source(context: Context, place: Place) -> KeySource:
    """Where the credential comes from: one that is given stays, a stored one may be changed by other commands."""
    from ollama_cli.serve.signer import KeySource

    given = None if context.settings.no_cloud else context.given_credential(place)
    return KeySource(
        read=lambda: given or context.cloud_credential(place),
        stamp=lambda: None if given else context.wallet.stamp(),
        authentication=lambda active: context.authentication(place, active),
        link=lambda active: context.link_for(place, active),
    )


def _token(context: Context, options: ServeOptions) -> Secret | None:
    from ollama_cli.serve import token

    if options.token_file is not None:
        return token.token_in(options.token_file, context.streams.input)
    if not options.token:
        return None
    if context.settings.serve_token is not None:
        return token.token_from(context.settings.serve_token.reveal(), TOKEN_VARIABLE)
    path = context.settings.data_dir / _TOKEN_FILE
    kept = token.kept_token(path)
    context.streams.say(f"The token is in {path}")
    return kept


def _daemon_url(given: str | None) -> str | None:
    if given is None:
        return None
    host = host_of_option("--daemon", given)
    if host.is_ollama_com:
        raise UsageError(
            "--daemon names an Ollama server of yours; cloud models go to ollama.com without it.", hint="Leave it out."
        )
    return host.url


@contextmanager
def _listening(options: ServeOptions, *, has_token: bool) -> Iterator[tuple[socket.socket, str]]:
    """The socket, and what it is called."""
    from ollama_cli.serve import DEFAULT_PORT, listening

    if options.socket is not None:
        if options.host is not None or options.port is not None:
            raise UsageError("--socket listens at no address and no port.", hint="Leave out --host and --port.")
        if options.allowed_hosts:
            raise UsageError("At a socket nobody is asked by which name it is.", hint="Leave out --allow-host.")
        listener = listening.listen_in(options.socket)
        made = listening.identity(options.socket)
        try:
            yield listener, f"unix:{options.socket}"
        finally:
            listening.remove(options.socket, listener, made)
        return
    host = DEFAULT_HOST if options.host is None else options.host
    with listening.listen_at(host, DEFAULT_PORT if options.port is None else options.port) as listener:
        if not has_token and not listening.is_for_this_machine(listener):
            raise SafetyError(
                f"At {host} others reach this server, and could use your account.",
                hint="Add --token, so that only who has the token is answered; or listen at 127.0.0.1.",
                code="token_needed",
            )
        yield listener, listening.url_of(listener)


def _refuse_itself(listener: socket.socket, daemon: str | None) -> None:
    """Refuse a server that would ask itself."""
    from urllib.parse import urlsplit

    name = listener.getsockname()
    if daemon is None or isinstance(name, str) or urlsplit(daemon).port != name[1]:
        return
    if is_loopback(daemon) or urlsplit(daemon).hostname == name[0]:
        raise UsageError("--daemon names this very server.", hint="Give one of the two another port, with --port.")


def _sign_in_to_sandbox(context: Context, place: Place) -> None:
    from ollama_cli.account.signin import SECONDS_FOR_A_PERSON, Waiting

    waiting = Waiting(SECONDS_FOR_A_PERSON, browser=False, print_link=context.streams.say)
    context.sign_in(place, waiting)


def _tell_json(context: Context, options: ServeOptions, address: str) -> None:
    if options.as_json:
        path = str(options.socket) if options.socket else None
        context.streams.answer(json.dumps({"url": None if path else address, "socket": path}))

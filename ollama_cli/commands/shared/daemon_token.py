"""Tokens for Ollama servers behind a proxy that asks for one: kept with ``signin``, forgotten with ``signout``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ollama_cli.commands.shared.secret_input import read_secret
from ollama_cli.errors import CliError, ForbiddenError, SafetyError, SignInError, UsageError
from ollama_cli.secret import Secret
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Token


def keep_token(context: Context, host: str, *, basic: bool, as_json: bool) -> None:
    """Read a token, try it at its server, and keep it for exactly that server's origin.

    Args:
        context: What the command works with.
        host: The server's address, written as in OLLAMA_HOST.
        basic: Whether the token is a name and a password.
        as_json: Whether to print JSON.

    Raises:
        UsageError: None was given, or the address is none that can have one.
        SafetyError: It would be sent in the clear.
        SignInError: The server does not take it; what was kept before is kept.
        StoreError: The store cannot be used.
    """
    from ollama_cli.credentials.credential import Token

    place = place_of_token(context, host)
    if basic:
        kind, given = "basic", read_secret(context, f"NAME:PASSWORD for {place.base_url}: ", "a name and a password")
        token = Token.basic(Secret(given.reveal().rstrip("\r\n")))
    else:
        kind, given = "bearer", read_secret(context, f"Token for {place.base_url}: ", "a token")
        token = Token.bearer(Secret(given.reveal().strip()))
    _try_token(context, place, token)
    record, left = context.wallet.secrets.put(place.origin, kind, token.authorization)
    if left is not None:
        context.streams.say(f"Warning: what it replaces could not be deleted. {left.message}")
    store = context.wallet.describe_store(record)
    if as_json:
        facts = {"place": place.base_url, "credential": "token", "store": store, "profile": record.profile}
        context.streams.answer(json.dumps({"signed_in": True, **facts}))
        return
    was_tried = not _asks_for_none(context, place)
    works = "works, and " if was_tried else ""
    context.streams.say(clean_line(f"The token for {place.origin} {works}is kept in {store}."))
    if not was_tried:
        context.streams.say(
            "Note: that server answers without a token, too, so whether this one is right is not known."
        )


def forget_token(context: Context, host: str) -> tuple[str, str]:
    """Forget the token for a server; what became of it, in a word and in words.

    Raises:
        UsageError: The address is none that can have one.
        StoreError: Its store cannot be used; it is then still listed.
    """
    place = place_of_token(context, host, to_be_sent=False)
    if context.wallet.secrets.forget(place.origin, api_key=False) is None:
        return "not_signed_in", f"No token for {place.origin} is kept here."
    return "forgotten", f"The token for {place.origin} is forgotten here; whoever gave it to you can revoke it."


def place_of_token(context: Context, text: str, *, to_be_sent: bool = True) -> Place:
    """The server that a token is for.

    Args:
        context: What the command works with.
        text: Its address, written as in OLLAMA_HOST.
        to_be_sent: Whether the token is to go there.

    Raises:
        UsageError: It is no address, or one of ollama.com or of the sandbox.
        SafetyError: The token would be sent in the clear.
    """
    from ollama_cli.api.place import Place
    from ollama_cli.settings.hosts import host_of_option, is_loopback

    if context.options.sandbox:
        raise UsageError("The sandbox takes no token.", hint="Leave out --sandbox.")
    host = host_of_option("--host", text)
    if not text.strip():
        raise UsageError("--host names no server.", hint="Write it as https://HOST.")
    if host.is_ollama_com:
        raise UsageError("ollama.com takes device keys and API keys, and no token.", hint="Use `ollama-cli signin`.")
    if to_be_sent and host.scheme != "https" and not is_loopback(host.url):
        raise SafetyError(
            f"No token is sent to {host.origin}: the connection is not encrypted.", hint="Use an https:// address."
        )
    return Place("daemon", host.url, authenticated=False)


def _try_token(context: Context, place: Place, token: Token) -> None:
    from ollama_cli.credentials.credential import Active

    try:
        context.client(place, Active(token, "what was given")).models()
    except (SignInError, ForbiddenError) as refused:
        said = f"The server says: {refused.server_words}\n" if refused.server_words else ""
        raise SignInError(
            f"{place.origin} does not take the token, and it is not kept.",
            hint=f"{said}Ask whoever runs that server for one.",
            code="token_refused",
            http_status=refused.http_status,
        ) from refused


def _asks_for_none(context: Context, place: Place) -> bool:
    """Whether a server lists its models for everybody, so that a token which it was sent was not tried by that."""
    try:
        context.client(place, None).models()
    except CliError:
        return False
    return True

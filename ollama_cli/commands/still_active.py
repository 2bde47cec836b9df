"""What signing a device out does not touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context


def tell_what_stays_active(context: Context, place: Place) -> None:
    """Say that a credential is given by option or environment, which requests to ollama.com go on using."""
    source = context.given_source(place)  # the name is enough, and asks for no passphrase
    if source is not None:
        context.streams.say(f"Note: {source} is still there, and is used for requests.")


def tell_of_daemon(context: Context) -> None:
    """Say that the Ollama server which OLLAMA_HOST names has a sign-in of its own."""
    host = context.settings.host
    if host is not None and not host.is_ollama_com:
        context.streams.say(f"Note: the Ollama server at {host.url} has a key of its own, which is not touched.")

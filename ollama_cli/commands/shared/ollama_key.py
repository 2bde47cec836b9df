"""One key for this device and the Ollama that is installed on it: taking it up, and what taking it off would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import StoredKey


def use_ollama_key(context: Context, place: Place) -> None:
    """Keep a copy of the installed Ollama's key as this device's key.

    A key of our own that is on no account gives way to it; one that is signed in does not.

    Raises:
        UsageError: The key is not there or cannot be used, or this device is signed in with another.
        StoreError: The store cannot be used.
        UnavailableError: The server does not say for certain whether this device's key is on an account.
    """
    from ollama_cli.account.signout import is_on_an_account
    from ollama_cli.credentials.ollama_key import read_ollama_key

    if context.options.sandbox:
        raise UsageError("The sandbox has a key of its own.", hint="Leave out --use-ollama-key or --sandbox.")
    found = read_ollama_key(context.settings.user_home, context.key_reader)
    key_name = context.key_name(place)
    stored, replaced = context.wallet.find(key_name), None
    if stored is not None and stored.credential.public_key != found.key.public_key:
        if is_on_an_account(context.client(place, stored)):
            raise UsageError(
                "This device is signed in already, with another key.",
                hint="Run `ollama-cli signout` first: it takes that key off the account and forgets it.",
                code="signed_in_already",
            )
        replaced = stored.credential.public_key
    context.wallet.adopt(key_name, found.key, found.text, in_place_of=replaced, shared_with="ollama")
    if replaced is not None:
        context.streams.say("This device's own key was on no account; the installed Ollama's takes its place.")
    context.streams.say(f"This device uses the installed Ollama's key, {found.path}: both are one device.")


def warn_of_shared_key(context: Context, stored: StoredKey) -> None:
    """Say that taking a key off the account signs the installed Ollama out too, if it does."""
    if stored.shared_with_ollama:
        context.streams.say(
            "Warning: this key is the installed Ollama's too. Taking it off your account signs Ollama out as well."
        )


def agreed_for_both(context: Context, stored: StoredKey) -> bool:
    """Warn of it, and at a terminal ask; a script that signs out means it."""
    from ollama_cli.terminal.prompts import confirm

    warn_of_shared_key(context, stored)
    if not stored.shared_with_ollama or not context.streams.interactive:
        return True
    return confirm(context.streams, "Sign both out?", default=False)

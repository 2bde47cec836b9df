"""What else is active beside the credential that a command has just stored or forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context


def in_profile(context: Context) -> str:
    """The profile that a command has acted as, in words after what it says; nothing for the usual one."""
    from ollama_cli.settings.profile_name import DEFAULT_PROFILE

    name = context.wallet.profile
    return "" if name == DEFAULT_PROFILE else f", in the profile {name}"


def tell_what_counts_before(context: Context, place: Place, what: str = "this device's key") -> None:
    """Say what is used before the credential that was stored: one of the environment's, or another profile's.

    Args:
        context: What the command works with.
        place: The server.
        what: What was stored.
    """
    named, source = context.named_profile, context.given_source(place, whatever_profile=True)
    if source is not None:
        without = "Without --profile, " if named is not None and context.options.key_file is None else ""
        context.streams.say(f"Note: {without}{source} is used before {what}.")
    elif named is not None:
        _tell_other_profile(context, named)


def _tell_other_profile(context: Context, named: str) -> None:
    """Say which profile counts without ``--profile``, where it is another one."""
    from_environment, current = context.settings.profile, context.wallet.profiles.listing().current
    if from_environment not in {None, named}:
        context.streams.say(f"Note: without --profile, OLLAMA_CLI_PROFILE has the profile {from_environment} count.")
    elif from_environment is None and current != named:
        context.streams.say(
            f"Note: without --profile, {current} is the profile that counts; `ollama-cli profile use {named}` "
            "changes that."
        )


def tell_what_stays_active(context: Context, place: Place) -> None:
    """Say that a credential is given by option or environment, or kept by another profile, which still can be used."""
    source = context.given_source(place, whatever_profile=True)  # the name is enough, and asks for no passphrase
    if source is not None:
        context.streams.say(f"Note: {source} is still there, and is used for requests.")
    if context.options.sandbox:
        return
    listing, own = context.wallet.profiles.listing(), context.wallet.profile
    names = listing.profiles_for(place.origin) - {own}
    if len(names) > 1:
        context.streams.say(f"Note: {len(names)} other profiles have credentials of their own, which are not touched.")
    elif names:
        context.streams.say(f"Note: the profile {names.pop()} has a credential of its own, which is not touched.")


def tell_of_daemon(context: Context) -> None:
    """Say that the Ollama server which OLLAMA_HOST names has a sign-in of its own."""
    host = context.settings.host
    if host is not None and not host.is_ollama_com:
        context.streams.say(f"Note: the Ollama server at {host.url} has a key of its own, which is not touched.")

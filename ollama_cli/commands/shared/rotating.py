"""A rotation of this device's key, as other commands meet it: told of, and ended where they end everything."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ollama_cli.errors import CliError

if TYPE_CHECKING:
    from ollama_cli.account.rotation import Ended
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.listing import KeyRecord

NEW_KEY_WAITS, OLD_KEY_REMAINS = "new_key_waits", "old_key_remains"
"""What a rotation that is under way has come to, in a word for scripts."""


def rotation_of(context: Context, place: Place) -> str | None:
    """What a rotation of this device's key for a place has come to; None where there is none."""
    from ollama_cli.credentials.listing import NEW

    record = context.wallet.rotation(context.key_name(place)).record
    if record is None:
        return None
    return NEW_KEY_WAITS if record.role == NEW else OLD_KEY_REMAINS


def in_words(context: Context, rotation: str) -> str:
    """The same for a person."""
    named = "--sandbox " if context.options.sandbox else ""
    if context.named_profile is not None:
        named = f"--profile {context.named_profile} "
    command = f"`ollama-cli {named}keys rotate`"
    if rotation == NEW_KEY_WAITS:
        return f"a new key waits to be approved; {command} goes on, with --cancel it is given up"
    return f"done but for the old key, which {command} takes off your account"


def tell_of_rotation(context: Context, place: Place) -> None:
    """Say that a rotation is under way, if it is."""
    rotation = rotation_of(context, place)
    if rotation is not None:
        context.streams.say(f"Rotation of this device's key: {in_words(context, rotation)}.")


def put_rotation_away(context: Context, place: Place) -> None:
    """Take the other key of a rotation off the account and forget it, before the same happens to the current one.

    Raises:
        CliError: It could not be; nothing else was tried then.
    """
    record = context.wallet.rotation(context.key_name(place)).record
    if record is None:
        return
    what = _name(record)
    try:
        ended = put_away_key(context, place, record)
    except CliError as error:
        error.message = f"Nothing else is signed out, for {what} of a rotation is still here. {error.message}"
        raise
    context.streams.say(told(ended, what))


def put_away_key(context: Context, place: Place, record: KeyRecord) -> Ended:
    """Take a key of a rotation off the account, and forget it.

    Raises:
        CliError: It could not be; it is still listed then.
    """
    from ollama_cli.account.rotation import put_away

    return put_away(context.wallet, context.key_name(place), record, partial(context.client, place))


def told(ended: Ended, what: str) -> str:
    """What became of a key, in a sentence.

    Args:
        ended: In a word.
        what: What the key is called.
    """
    from ollama_cli.account.rotation import Ended
    from ollama_cli.settings.hosts import KEYS_PAGE

    name = what[0].upper() + what[1:]
    return {
        Ended.TAKEN_OFF: f"{name} is off your account, and forgotten.",
        Ended.NOT_SIGNED_IN: f"{name} was on no account; it is forgotten.",
        Ended.LEFT: f"{name} is forgotten here. It stays on your account, for the installed Ollama.",
        Ended.LOST: f"{name} was no longer in its store, and could not be taken off. Take it off at {KEYS_PAGE}",
    }[ended]


def _name(record: KeyRecord) -> str:
    from ollama_cli.credentials.listing import ROLES_IN_WORDS
    from ollama_cli.credentials.public_key import fingerprint_of

    return f"{ROLES_IN_WORDS[record.role]} {fingerprint_of(record.public_key)}"

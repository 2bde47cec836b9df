"""Ending what a rotation has begun: the key that is not needed goes off the account, and is then forgotten here."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from ollama_cli.account.revocation import End, Target, revoke
from ollama_cli.account.signout import Outcome, ask_to_take_off
from ollama_cli.credentials.listing import LEFT
from ollama_cli.errors import SignInError, StoreError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.credentials.credential import StoredKey
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.wallet import Wallet


class Ended(StrEnum):
    """What became of a key that a rotation no longer needs; it is forgotten here in any case."""

    TAKEN_OFF = "taken_off"
    NOT_SIGNED_IN = "not_signed_in"
    LEFT = "left"
    LOST = "lost"


def put_away(
    wallet: Wallet, key_name: str, record: KeyRecord, client_for: Callable[[StoredKey], OllamaClient]
) -> Ended:
    """Take a rotation's key off the account, and forget it once the server has said that it is off.

    The key signs that itself, which is known to work; where its store has lost it, this device's current key does. One
    that is left to another program is only forgotten.

    Args:
        wallet: Holds the keys.
        key_name: Under which name.
        record: The key: the new one of a rotation that is given up, or the old one.
        client_for: Makes a client that signs with a key.

    Raises:
        CliError: As ``ask_to_take_off`` does, or its store cannot be used; the key is still listed then.
    """
    if record.role == LEFT:
        ended = Ended.LEFT
    else:
        stored = wallet.key_of(record)
        if stored is None:
            ended = _take_off_lost(wallet, key_name, record, client_for)
        else:
            taken_off = ask_to_take_off(client_for(stored), stored.credential.encoded) is Outcome.TAKEN_OFF
            ended = Ended.TAKEN_OFF if taken_off else Ended.NOT_SIGNED_IN
    try:
        wallet.forget(key_name, record.public_key)
    except StoreError as error:
        state = "It is off your account, but" if ended is Ended.TAKEN_OFF else "It is"
        raise StoreError(f"{state} still kept here. {error.message}", hint=error.hint, code=error.code) from error
    return ended


def _take_off_lost(
    wallet: Wallet, key_name: str, record: KeyRecord, client_for: Callable[[StoredKey], OllamaClient]
) -> Ended:
    current = wallet.find(key_name)
    if current is None or current.credential.public_key == record.public_key:
        return Ended.LOST
    (result,) = revoke(client_for(current), [Target(record.public_key, own=False)], lambda: None)
    if result.end is End.TAKEN_OFF:
        return Ended.TAKEN_OFF
    if result.end is End.UNKNOWN_KEY:
        return Ended.NOT_SIGNED_IN
    if result.end is End.REFUSED or (result.error is not None and result.error.code == SignInError.default_code):
        return Ended.LOST
    raise result.error or AssertionError(result)

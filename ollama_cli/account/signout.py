"""Taking this device off its account: the server first, and what it confirmed is then forgotten here."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ollama_cli.api.account_work import no_ollama_server, time_not_told
from ollama_cli.errors import CliError, StoreError, UnavailableError
from ollama_cli.settings.hosts import KEYS_PAGE

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.credentials.wallet import Wallet

_KEY_MAY_BE_UNKNOWN = frozenset({401, 404, 410})
"""Statuses by which a server may mean that it does not know a key."""


class Outcome(Enum):
    """What became of a device key at the server."""

    TAKEN_OFF = "taken_off"
    NOT_SIGNED_IN = "not_signed_in"


def take_off(client: OllamaClient, wallet: Wallet, key_name: str, key: DeviceKey) -> Outcome:
    """Take this device off the account, and forget its key once the server has said that it is off.

    Raises:
        CliError: As ``ask_to_take_off`` and ``forget`` do.
    """
    outcome = ask_to_take_off(client, key.encoded)
    forget(wallet, key_name, key.public_key)
    return outcome


def ask_to_take_off(client: OllamaClient, encoded_key: str) -> Outcome:
    """Have the server take this device off the account, or say that it is on none.

    A server that does not know the key is asked a second time, in another way, before that is believed.

    Raises:
        UnavailableError: The server could not be asked, or contradicts itself.
        SignInError: The signature was refused for a wrong clock.
    """
    try:
        client.revoke_key(encoded_key)
    except CliError as error:
        _confirm_signed_out(client, error)
        return Outcome.NOT_SIGNED_IN
    return Outcome.TAKEN_OFF


def is_on_an_account(client: OllamaClient) -> bool:
    """Whether the device key that signs is on an account; a no is asked for twice, for what follows loses the key.

    Raises:
        SignInError: The signature was refused for a wrong clock.
        UnavailableError: The server could not be asked, or its no may be a mistake.
    """
    return client.knows_device() or client.knows_device()


def forget(wallet: Wallet, key_name: str, public_key: str) -> None:
    """Delete the key of a device that is off the account, and no other that was made meanwhile.

    Raises:
        StoreError: Its store cannot be used; the key is then still listed.
    """
    try:
        wallet.forget(key_name, public_key)
    except StoreError as error:
        raise StoreError(
            f"This device is off your account, but its key is still kept here. {error.message}",
            hint=error.hint,
            code=error.code,
        ) from error


def _confirm_signed_out(client: OllamaClient, refused: CliError) -> None:
    """Return only where a refusal means that the key is on no account, and the server says so once more."""
    if refused.http_status not in _KEY_MAY_BE_UNKNOWN or refused.code == "clock_wrong":
        raise refused
    if not refused.told_by_api:
        raise no_ollama_server() from refused
    if not refused.clock_agrees:
        raise time_not_told() from refused
    if client.knows_device():
        said = f": {refused.server_words}" if refused.server_words else ""
        raise UnavailableError(
            f"The server does not take this device off ({refused.http_status}{said}), and yet says that it is signed "
            "in. Nothing is forgotten.",
            hint=f"Try again in a moment, or take it off at {KEYS_PAGE}",
            code="unconfirmed",
        ) from refused

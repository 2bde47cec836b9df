"""Taking this device off its account: the server first, and what it confirmed is then forgotten here."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ollama_cli.errors import CliError, UnavailableError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.credentials.wallet import Wallet

_UNKNOWN_KEY = frozenset({401, 404, 410})


class Outcome(Enum):
    """What became of a device key at the server."""

    TAKEN_OFF = "taken_off"
    NOT_SIGNED_IN = "not_signed_in"


def take_off(client: OllamaClient, wallet: Wallet, key_name: str, encoded_key: str) -> Outcome:
    """Take this device off the account, and forget its key once the server has said that it is off.

    Raises:
        UnavailableError: The server could not be asked; nothing is forgotten then.
        SignInError: The signature was refused for a wrong clock; nothing is forgotten then either.
    """
    try:
        client.revoke_key(encoded_key)
        outcome = Outcome.TAKEN_OFF
    except CliError as error:
        if error.http_status not in _UNKNOWN_KEY or error.code == "clock_wrong":
            raise
        if not error.told_by_api:
            raise UnavailableError(
                "What answered is no Ollama server, so nothing is confirmed and nothing forgotten.",
                hint="A proxy or a sign-in page of the network may stand in between. Try again, or use --local-only.",
                code="answer_invalid",
            ) from error
        outcome = Outcome.NOT_SIGNED_IN
    wallet.forget(key_name)
    return outcome

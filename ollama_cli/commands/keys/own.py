"""This device's own key, for the commands that cannot do without it; and what they say where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import SignInError, StoreError
from ollama_cli.settings.hosts import KEYS_PAGE

if TYPE_CHECKING:
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import StoredKey
    from ollama_cli.credentials.listing import KeyRecord


def own_record(context: Context) -> KeyRecord:
    """What is known about this device's key; no store is opened.

    Raises:
        SignInError: It has none.
    """
    record = context.device_record
    if record is None:
        raise no_device_key(context)
    return record


def own_key(context: Context) -> StoredKey:
    """This device's key.

    Raises:
        SignInError: It has none.
        StoreError: Its store cannot be used, or has lost it.
    """
    from ollama_cli.credentials.public_key import fingerprint_of

    record = own_record(context)
    stored = context.wallet.key_of(record)
    if stored is None:
        raise StoreError(
            f"The key {fingerprint_of(record.public_key)} is no longer in {context.wallet.describe_store(record)}.",
            hint="`ollama-cli keys import FILE` puts a copy of it back; `ollama-cli signout` forgets it.",
            code="stored_key_unusable",
        )
    return stored


def no_device_key(context: Context, instead: str = "`ollama-cli signin` makes one.") -> SignInError:
    """The error for a profile that has no device key, be it that it has an API key.

    Args:
        context: What the command works with.
        instead: What to do where it has nothing.
    """
    if context.wallet.secrets.record(context.device_key_name, api_key=True) is None:
        return SignInError("This device has no key yet.", hint=instead)
    return SignInError(
        f"The profile {context.wallet.profile} has an API key, and no device key.",
        hint=f"API keys are made and revoked at {KEYS_PAGE}; `ollama-cli signout` forgets it here.",
    )

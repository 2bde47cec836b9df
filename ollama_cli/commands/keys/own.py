"""This device's own key, for the commands that cannot do without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.commands.keys.given import no_device_key
from ollama_cli.errors import StoreError

if TYPE_CHECKING:
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import StoredKey
    from ollama_cli.credentials.listing import Record


def own_record(context: Context) -> Record:
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

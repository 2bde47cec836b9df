"""From the keyring to a file: for a device whose key is in a keyring that cannot be used where it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import StoreError

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context


def leave_unusable_keyring(context: Context, place: Place, so: str = "this device gets a new key") -> None:
    """Let this device have a new key in a file, where ``--insecure-storage`` asks for that and the keyring is closed.

    The key in the keyring is not lost: once it can be opened again, it is only no longer this device's.

    Args:
        context: What the command works with.
        place: ollama.com, or what stands in for it.
        so: What happens instead, for a person.

    Raises:
        StoreError: The keyring can be used and holds something else than a key, or the list cannot be written.
    """
    from ollama_cli.credentials.public_key import fingerprint_of
    from ollama_cli.settings.hosts import KEYS_PAGE

    if not context.options.insecure_storage:
        return
    key_name = context.key_name(place)
    record = context.wallet.record(key_name)
    if record is None or record.store != "keyring":
        return
    try:
        context.wallet.find(key_name)
    except StoreError as error:
        if error.code == "stored_key_unusable":
            raise
        other = context.wallet.rotation(key_name).record
        if other is not None and other.store == "keyring":
            context.wallet.unlist(other)
            tell = (
                f"A rotation's key stays in the keyring: {fingerprint_of(other.public_key)}. If it is on your account"
            )
            context.streams.say(f"{tell}, take it off at {KEYS_PAGE}")
        context.wallet.unlist(record)
        context.streams.say(f"{error.message} So {so}, in a file that is not encrypted.")
        if record.signed_in_at is not None:
            old = fingerprint_of(record.public_key)
            context.streams.say(f"The old one stays on your account until you take it off: {old}, {KEYS_PAGE}")

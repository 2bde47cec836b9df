"""A stored key as a value, and what keeps one from being stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import StoredKey
from ollama_cli.errors import StoreError
from ollama_cli.settings.profile_name import DEFAULT_PROFILE

if TYPE_CHECKING:
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.credentials.listing import Record
    from ollama_cli.credentials.store import CredentialStore


def stored_key(key: DeviceKey, store: CredentialStore, record: Record) -> StoredKey:
    """A key as it is listed.

    Args:
        key: The key itself.
        store: What holds it.
        record: What is noted about it.
    """
    shared = record.shared_with == "ollama"
    source = f"{store.description}; it is the installed Ollama's key too" if shared else store.description
    signed_in = record.signed_in_at is not None
    return StoredKey(
        key,
        source,
        signed_in=signed_in,
        shared_with_ollama=shared,
        made_at=record.created_at,
        last_used_at=record.last_used_at,
    )


def occupied(store: CredentialStore, *, listed: bool) -> StoreError:
    """The error for a key that another one would overwrite.

    Args:
        store: What holds it.
        listed: Whether it is listed.
    """
    take_up = "" if listed else "`ollama-cli signin` takes it up again. "
    return StoreError(
        f"There is another key for this device in {store.description} already.",
        hint=f"{take_up}Run `ollama-cli signout` first: it takes that key off the account and forgets it.",
        code="store_occupied",
    )


def refuse_of_another_profile(records: Iterable[Record], profile: str, origin: str, public_key: str) -> None:
    """Refuse a key for two profiles: signing one out would sign the other out, unsaid.

    Args:
        records: What is listed.
        profile: Whose the key would be.
        origin: What it would sign for.
        public_key: The key.

    Raises:
        StoreError: Another profile has it.
    """
    for record in records:
        if (record.public_key, record.origin) == (public_key, origin) and record.profile != profile:
            ends = f"profile remove {record.profile}"
            if record.profile == DEFAULT_PROFILE:  # which is always there
                ends = f"--profile {DEFAULT_PROFILE} signout"
            raise StoreError(
                f"The key is the one of the profile {record.profile} already.",
                hint=f"Use that one, or have it forget the key: ollama-cli {ends}",
                code="store_occupied",
            )

"""What keeps a credential from being stored: another one that stands where it would, or has it already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ollama_cli.errors import StoreError
from ollama_cli.settings.profile_name import DEFAULT_PROFILE

if TYPE_CHECKING:
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.store import CredentialStore


def another_key_there(store: CredentialStore, *, listed: bool) -> StoreError:
    """The error for a device key that another one would overwrite.

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


def device_key_there() -> StoreError:
    """The error for a profile whose device key would have to give way to an API key."""
    return StoreError(
        "This profile has a device key already.",
        hint="`ollama-cli signout` takes it off the account and forgets it; or keep the API key in a profile of its "
        "own: ollama-cli --profile NAME signin --api-key",
        code="store_occupied",
    )


def api_key_there() -> StoreError:
    """The error for a profile whose API key would have to give way to a device key."""
    return StoreError(
        "This profile has an API key, and so no device key.",
        hint="`ollama-cli signout` forgets the API key; or give the device key a profile of its own: "
        "ollama-cli --profile NAME signin",
        code="store_occupied",
    )


def refuse_of_another_profile(records: Iterable[KeyRecord], profile: str, origin: str, public_key: str) -> None:
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

"""Device keys, read from the stores that hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import StoredKey
from ollama_cli.credentials.listing import ROLES_IN_WORDS
from ollama_cli.credentials.public_key import fingerprint_of
from ollama_cli.errors import StoreError

if TYPE_CHECKING:
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.credentials.key_reader import KeyReader
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.store import CredentialStore


class KeyStores:
    """The stores of this machine, with what reads a device key in them.

    Args:
        open_store: Gives the store of a kind (``keyring``, ``file``, ``memory``).
        reader: Reads the keys.
    """

    def __init__(self, open_store: Callable[[str], CredentialStore], reader: KeyReader) -> None:
        self.open = open_store
        self._reader = reader

    def key_of(self, record: KeyRecord) -> StoredKey | None:
        """The key that is listed as a record, or None where its store has none.

        Raises:
            StoreError: The store cannot be used, or what it holds is no key, or another.
        """
        store = self.open(record.store)
        key = self.load(store, record.entry, ROLES_IN_WORDS[record.role])
        if key is not None and key.public_key != record.public_key:
            raise StoreError(
                f"The entry {record.entry} in {store.description} holds another key than was stored there.",
                hint=f"It is left as it is. Put the key {fingerprint_of(record.public_key)} back, or delete the entry "
                "and run `ollama-cli signin`.",
                code="stored_key_unusable",
            )
        return stored_key(key, store, record) if key else None

    def load(self, store: CredentialStore, entry: str, name: str = "the key") -> DeviceKey | None:
        """The key in an entry, listed or not, or None where the store has none.

        Args:
            store: The store.
            entry: The entry's name.
            name: What the key is called, where its passphrase is asked for.

        Raises:
            StoreError: The store cannot be used, or what it holds is no key.
        """
        secret = store.get(entry)
        if secret is None:
            return None
        from ollama_cli.credentials.device_key import KeyTextError

        try:
            return self._reader.read(secret.reveal(), f"{name} in {store.description}")
        except KeyTextError as error:
            encrypted = error.reason in {"encrypted", "passphrase"}
            way = error.hint if encrypted else "Put the right key back."
            raise StoreError(
                f"The entry {entry} in {store.description} cannot be used: {error.message}",
                hint=f"It is left as it is. {way}\nOr delete the entry and run `ollama-cli signin`.",
                code="stored_key_unusable",
            ) from error


def stored_key(key: DeviceKey, store: CredentialStore, record: KeyRecord) -> StoredKey:
    """A key with what is noted about it.

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

"""One profile's API key and tokens.

They are sent as they are. None is made here, so forgetting one loses nothing that its owner cannot have again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import ApiKey, StoredSecret, Token
from ollama_cli.credentials.secret_record import API_KEY, SecretRecord
from ollama_cli.errors import StoreError, UsageError

if TYPE_CHECKING:
    from ollama_cli.credentials.index import CredentialIndex
    from ollama_cli.credentials.store import CredentialStore
    from ollama_cli.secret import Secret

SECONDS_BETWEEN_NOTES = 24 * 60 * 60
"""How seldom it is noted that a credential was used: the list need not be written at every command."""


def worth_noting(last_used_at: int | None) -> bool:
    """Whether it is time to note once more that a credential was used; also where the clock was wrong before."""
    return last_used_at is None or not 0 <= time.time() - last_used_at < SECONDS_BETWEEN_NOTES


class SecretWallet:
    """The stored API key and tokens of one profile.

    Args:
        index: The list of what is stored.
        open_store: Gives the store of a kind.
        new_store: The kind in which a new one is stored.
        profile: Gives the profile's name.
    """

    def __init__(
        self,
        index: CredentialIndex,
        open_store: Callable[[str], CredentialStore],
        new_store: str,
        profile: Callable[[], str],
    ) -> None:
        self._index = index
        self._open_store = open_store
        self._new_store = new_store
        self._profile = profile

    def record(self, origin: str, *, api_key: bool) -> SecretRecord | None:
        """What is known about the API key or the token for an origin, without opening its store."""
        wanted = (self._profile(), origin, api_key)
        return next((r for r in self._index.read().secrets if (r.profile, r.origin, r.is_api_key) == wanted), None)

    def find(self, origin: str, *, api_key: bool) -> StoredSecret | None:
        """The API key or the token for an origin, or None where none is stored.

        Raises:
            StoreError: Its store cannot be used, or does not hold it.
        """
        record = self.record(origin, api_key=api_key)
        if record is None:
            return None
        store = self._open_store(record.store)
        text = store.get(record.entry)
        try:
            if text is not None:
                return StoredSecret(ApiKey(text) if api_key else Token(text), store.description, record)
            what = "is no longer there"
        except UsageError:
            what = "holds something else"
        raise StoreError(
            f"The {record.in_words} for {origin} cannot be read: {record.entry} in {store.description} {what}.",
            hint=f"`ollama-cli signin {_option(record)}` stores it anew, `ollama-cli signout"
            f"{'' if api_key else f' {_option(record)}'}` forgets it.",
            code="stored_key_unusable",
        )

    def put(
        self, origin: str, kind: str, text: Secret, *, in_place_of: str | None = None
    ) -> tuple[SecretRecord, StoreError | None]:
        """Store an API key or a token in the place of an older one.

        Args:
            origin: The origin.
            kind: What it is; see ``SecretRecord``.
            text: The text to be stored.
            in_place_of: The public key of a device key that gives way to it, and is forgotten then.

        Returns:
            What is noted about it, and why the old one could not be deleted from its store, where that is so.

        Raises:
            StoreError: The store cannot be used; or the profile has another device key for the origin.
        """
        with self._index.locked():
            keys = self._index.of(self._profile(), origin) if kind == API_KEY else []
            if any(key.public_key != in_place_of for key in keys):
                from ollama_cli.credentials.conflicts import device_key_there

                raise device_key_there()
            key = keys[0] if keys else None
            old = self.record(origin, api_key=kind == API_KEY)
            # Where the one before it is, unless a file is asked for.
            before = (old or key) if self._new_store == "keyring" else None
            store = self._open_store(before.store if before is not None else self._new_store)
            record = SecretRecord(self._profile(), origin, kind, store.kind, int(time.time()))
            listing = self._index.read()
            self._index.put_secret(record, in_place_of=key)  # first: a kill leaves no secret that is not listed
            try:
                store.put(record.entry, text)
            except StoreError:
                self._index.restore(listing)
                raise
            moved = old is not None and old.store != record.store
            try:
                for gone in (key, old if moved else None):
                    if gone is not None:
                        self._open_store(gone.store).delete(gone.entry)
            except StoreError as error:
                return record, error
            return record, None

    def forget(self, origin: str, *, api_key: bool) -> SecretRecord | None:
        """Delete the API key or the token for an origin; what it was, or None where there was none.

        Raises:
            StoreError: Its store cannot be used; it is then still listed.
        """
        with self._index.locked():
            record = self.record(origin, api_key=api_key)
            if record is not None:
                self._open_store(record.store).delete(record.entry)
                self._index.remove_secret(record)
            return record

    def note_used(self, record: SecretRecord) -> None:
        """Note that one was used, to about a day; not at the price of waiting for another process.

        Raises:
            StoreError: The list cannot be written, or another process is at it.
        """
        if not worth_noting(record.last_used_at):
            return
        with self._index.locked(seconds=0):
            found = self.record(record.origin, api_key=record.is_api_key)
            if found is not None:
                self._index.put_secret(found._replace(last_used_at=int(time.time())))


def _option(record: SecretRecord) -> str:
    return "--api-key" if record.is_api_key else f"--host {record.origin} --token"

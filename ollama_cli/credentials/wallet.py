"""This machine's device keys: the index and the stores behind one face.

A key is stored before anybody sees it, and forgotten only when it is asked for: the rules that keep a key which the
server knows from being lost here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import StoredKey
from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.credentials.key_reader import KeyReader
from ollama_cli.credentials.key_stores import KeyStores, stored_key
from ollama_cli.credentials.listing import CURRENT, NEW, KeyRecord, entry_name
from ollama_cli.credentials.profiles import Profiles
from ollama_cli.credentials.secret_wallet import SecretWallet, worth_noting
from ollama_cli.settings.profile_name import DEFAULT_PROFILE

if TYPE_CHECKING:
    from ollama_cli.credentials.credential import StoredSecret
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.credentials.rotation import Rotation
    from ollama_cli.credentials.secret_record import SecretRecord
    from ollama_cli.credentials.store import CredentialStore
    from ollama_cli.secret import Secret


_SLOTS = (1, 2)


class Wallet:
    """The stored device keys of one profile.

    Args:
        index: The list of what is stored.
        open_store: Gives the store of a kind (``keyring``, ``file``, ``memory``).
        new_store: The kind in which a new key is stored.
        profile: The profile whose keys these are; None is the current one.
        reader: Reads the keys; without one an encrypted key is an error.
    """

    def __init__(
        self,
        index: CredentialIndex,
        open_store: Callable[[str], CredentialStore],
        *,
        new_store: str,
        profile: str | None = DEFAULT_PROFILE,
        reader: KeyReader | None = None,
    ) -> None:
        self._index = index
        self._stores = KeyStores(open_store, reader or KeyReader())
        self._new_store = new_store
        self._named_profile = profile

    @cached_property
    def profile(self) -> str:
        """The profile whose keys these are.

        Raises:
            StoreError: The list, which says what the current one is, cannot be read.
        """
        return self._named_profile or self._index.read().current

    @property
    def profiles(self) -> Profiles:
        """This machine's profiles."""
        return Profiles(self._index)

    @cached_property
    def secrets(self) -> SecretWallet:
        """The profile's API key and tokens."""
        return SecretWallet(self._index, self._stores.open, self._new_store, lambda: self.profile)

    def record(self, origin: str) -> KeyRecord | None:
        """What is known about the key for an origin, without opening its store."""
        return self._index.find(self.profile, origin)

    def lists(self, origin: str, public_key: str) -> bool:
        """Whether a key is one for an origin, be it the one that a rotation will put in the place of the current."""
        return any(record.public_key == public_key for record in self._index.of(self.profile, origin))

    def records(self) -> list[KeyRecord]:
        """What is known about every key of this machine, of all profiles, without opening a store."""
        return self._index.all()

    def rotation(self, origin: str) -> Rotation:
        """What is under way to put another key in the place of the one for an origin."""
        from ollama_cli.credentials.rotation import Rotation

        return Rotation(self._index, self._stores, self.profile, origin)

    def describe_store(self, record: KeyRecord | SecretRecord) -> str:
        """Where a credential is kept, for a person; the store is not opened."""
        return self._stores.open(record.store).description

    def credential(self, origin: str) -> StoredKey | StoredSecret | None:
        """What the profile keeps for ollama.com, or for what stands in for it: its API key, else its device key.

        Raises:
            StoreError: The store cannot be used, or does not hold what is listed.
        """
        return self.secrets.find(origin, api_key=True) or self.find(origin)

    def find(self, origin: str) -> StoredKey | None:
        """The key for an origin, or None where none is stored.

        Raises:
            StoreError: The store cannot be used, or what it holds is no key.
        """
        record = self.record(origin)
        while record is not None:
            found, before = self.key_of(record), record
            record = self.record(origin)
            if found is not None or (record is not None and record.public_key == before.public_key):
                return found
        return None  # and no other key took its place, as a rotation elsewhere has it do

    def key_of(self, record: KeyRecord) -> StoredKey | None:
        """The key that is listed as a record, or None where its store has none.

        Raises:
            StoreError: The store cannot be used, or what it holds is no key, or another.
        """
        return self._stores.key_of(record)

    def ensure(self, origin: str) -> StoredKey:
        """The key for an origin, made and stored now if there is none.

        A key that a store holds without being listed (the list was lost, or a sign-in was cut short) is taken up
        again rather than replaced; where there are two, the second is that of a rotation.

        Raises:
            StoreError: The store cannot be used, or the profile has an API key; nothing is made then.
        """
        found = self.find(origin)
        if found is not None:
            return found
        from ollama_cli.credentials.device_key import DeviceKey

        with self._index.locked():
            self._refuse_beside_api_key(origin)
            found = self.find(origin)  # another process may have been faster
            if found is not None:
                return found
            store = self._stores.open(self._new_store)
            kept = self._kept(store, origin, _SLOTS)
            if not kept:
                kept = {1: DeviceKey.generate()}
                store.put(entry_name(self.profile, origin), kept[1].to_openssh())
            records = [
                self._index.add(self.profile, origin, store.kind, key.public_key, role=role, slot=slot)
                for role, (slot, key) in zip((CURRENT, NEW), kept.items(), strict=False)
            ]
            return stored_key(kept[records[0].slot], store, records[0])

    def text(self, origin: str) -> Secret | None:
        """The PEM of the key for an origin as its store holds it, with a passphrase if it has one.

        Raises:
            StoreError: The store cannot be used.
        """
        record = self.record(origin)
        return self._stores.open(record.store).get(record.entry) if record else None

    def adopt(
        self,
        origin: str,
        key: DeviceKey,
        text: Secret,
        *,
        in_place_of: str | None = None,
        shared_with: str | None = None,
    ) -> StoredKey:
        """Keep a key that was made elsewhere as the key for an origin.

        Args:
            origin: The origin.
            key: The key.
            text: Its PEM to be stored: a passphrase stays on it.
            in_place_of: The public key of a key that may be overwritten.
            shared_with: Whose key it is too: ``ollama`` for the installed Ollama's, or None.

        Raises:
            StoreError: The store cannot be used, or holds another key, which is left as it is.
        """
        from ollama_cli.credentials.conflicts import another_key_there, refuse_of_another_profile

        with self._index.locked():
            self._refuse_beside_api_key(origin)
            refuse_of_another_profile(self._index.all(), self.profile, origin, key.public_key)
            record = self.record(origin)
            store = self._stores.open(record.store if record else self._new_store)
            found = self._kept(store, origin, [record.slot] if record else _SLOTS)
            slot = record.slot if record else min(found, default=1)
            kept = found.get(slot)
            if (kept or record or key).public_key not in {key.public_key, in_place_of}:
                raise another_key_there(store, listed=record is not None)
            if kept is None or kept.public_key != key.public_key:
                store.put(entry_name(self.profile, origin, slot), text)
            if record is None or record.public_key != key.public_key:
                record = self._index.add(
                    self.profile, origin, store.kind, key.public_key, shared_with=shared_with, slot=slot
                )
            elif shared_with is not None and record.shared_with != shared_with:
                record = self._index.note_shared(record, shared_with)
            return stored_key(key, store, record)

    def note_shared(self, origin: str, public_key: str) -> None:
        """Note that the installed Ollama has the key for an origin too, where it is still this one.

        Raises:
            StoreError: The list cannot be written.
        """
        with self._index.locked():
            record = self.record(origin)
            if record is not None and record.public_key == public_key and record.shared_with is None:
                self._index.note_shared(record, "ollama")

    def note_used(self, origin: str, stored: StoredKey, *, signed_in: bool) -> None:
        """Note that the key for an origin was used, to about a day; not at the price of waiting for another process.

        Args:
            origin: The origin.
            stored: The key.
            signed_in: Whether that showed that it is on an account.

        Raises:
            StoreError: The list cannot be written, or another process is at it.
        """
        if worth_noting(stored.last_used_at) or (signed_in and not stored.signed_in):
            with self._index.locked(seconds=0):
                record = self.record(origin)
                if record is None or record.public_key != stored.credential.public_key:
                    return
                if worth_noting(record.last_used_at) or (signed_in and record.signed_in_at is None):
                    self._index.note_used(record, signed_in=signed_in)

    def forget(self, origin: str, public_key: str | None = None) -> None:
        """Delete the key for an origin from its store and the list.

        Args:
            origin: The origin.
            public_key: The only key to delete: another terminal may have put a new one in its place. None is whichever
                is there, and those of a rotation.

        Raises:
            StoreError: The store cannot be used; the key is then still listed.
        """
        with self._index.locked():
            for record in sorted(self._index.of(self.profile, origin), key=lambda each: each.role == CURRENT):
                if public_key in {None, record.public_key}:
                    self._stores.open(record.store).delete(record.entry)
                    self._index.remove(record)

    def unlist(self, record: KeyRecord) -> None:
        """Take a key off the list without opening its store, which still holds it.

        Raises:
            StoreError: The list cannot be written.
        """
        with self._index.locked():
            self._index.remove(record)

    def stamp(self) -> object:
        """What differs once a key was stored, changed or forgotten, here or by another process."""
        return self._index.stamp()

    def _kept(self, store: CredentialStore, origin: str, slots: Sequence[int]) -> dict[int, DeviceKey]:
        """What a store holds for an origin, listed or not, by slot."""
        keys = ((slot, self._stores.load(store, entry_name(self.profile, origin, slot))) for slot in slots)
        return {slot: key for slot, key in keys if key is not None}

    def _refuse_beside_api_key(self, origin: str) -> None:
        if self.secrets.record(origin, api_key=True) is not None and self.record(origin) is None:
            from ollama_cli.credentials.conflicts import api_key_there

            raise api_key_there()

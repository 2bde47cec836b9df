"""Two keys of one origin, while the one takes the place of the other.

A rotation walks along these lists. Each arrow is one write of the list, and a file is at any moment the old one or the
new one, so that a process may be killed anywhere::

    current A  →  current A, new B  →  current B, old A  →  current B
               B is stored          B was proved         A is off the account, and deleted

The two stand in two entries of a store, and stay there: no secret is ever copied from one to the other.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollama_cli.credentials.key_stores import stored_key
from ollama_cli.credentials.listing import CURRENT, LEFT, NEW, OLD, KeyRecord, entry_name
from ollama_cli.errors import StoreError

if TYPE_CHECKING:
    from ollama_cli.credentials.credential import StoredKey
    from ollama_cli.credentials.index import CredentialIndex
    from ollama_cli.credentials.key_stores import KeyStores

_OTHER_SLOT = {1: 2, 2: 1}


class Rotation:
    """What is under way for one profile and origin.

    Args:
        index: The list of what is stored.
        stores: What holds the keys.
        profile: Whose keys these are.
        origin: What they sign for.
    """

    def __init__(self, index: CredentialIndex, stores: KeyStores, profile: str, origin: str) -> None:
        self._index = index
        self._stores = stores
        self._profile = profile
        self._origin = origin

    @property
    def record(self) -> KeyRecord | None:
        """The other key beside the current one, or None where no rotation is under way."""
        return next((r for r in self._index.of(self._profile, self._origin) if r.role != CURRENT), None)

    def holds_unlisted(self, current: KeyRecord, kind: str) -> bool:
        """Whether a store has a new key already, which was not listed before its process was killed.

        Raises:
            StoreError: The store cannot be used.
        """
        return self._stores.open(kind).get(self._entry_beside(current)) is not None

    def begin(self, kind: str, account: str, passphrase: str | None) -> StoredKey:
        """The new key, made and stored now if there is none.

        Args:
            kind: The kind of store for it.
            account: The account that the current key is on.
            passphrase: What to encrypt it with, or None.

        Raises:
            StoreError: The store cannot be used, or another command has changed the keys meanwhile.
        """
        from ollama_cli.credentials.device_key import DeviceKey

        with self._index.locked():
            current, record = self._index.find(self._profile, self._origin), self.record
            if current is None or (record is not None and record.role != NEW):
                raise _changed_meanwhile()
            if record is None:
                store, entry = self._stores.open(kind), self._entry_beside(current)
                key = self._stores.load(store, entry)
                if key is None:
                    key = DeviceKey.generate()
                    store.put(entry, key.to_openssh(passphrase))
                record = self._index.add(
                    self._profile,
                    self._origin,
                    store.kind,
                    key.public_key,
                    role=NEW,
                    slot=_OTHER_SLOT[current.slot],
                    account=account,
                )
                return stored_key(key, store, record)
            stored = self._stores.key_of(record)
        if stored is None:
            raise _changed_meanwhile()
        return stored

    def take_over(self, public_key: str, *, leave_old: bool) -> None:
        """Make a new key that was proved the current one, and the current one the old.

        Args:
            public_key: The new key; where another terminal was faster, nothing is left to do.
            leave_old: Whether the old key shall stay on its account, as another program's.

        Raises:
            StoreError: The list cannot be written, or another command has changed the keys meanwhile.
        """
        with self._index.locked():
            current, new = self._index.find(self._profile, self._origin), self.record
            if current is not None and current.public_key == public_key:
                return
            if new is None or new.role != NEW or new.public_key != public_key:
                raise _changed_meanwhile()
            changed = [new._replace(role=CURRENT, signed_in_at=int(time.time()), account=None)]
            if current is not None:
                changed.append(current._replace(role=LEFT if leave_old else OLD))
            self._index.change(*changed)

    def settle(self, old: KeyRecord, *, leave_old: bool) -> KeyRecord:
        """Change what becomes of an old key.

        Raises:
            StoreError: The list cannot be written.
        """
        with self._index.locked():
            settled = old._replace(role=LEFT if leave_old else OLD)
            if old == self.record:
                self._index.change(settled)
        return settled

    def _entry_beside(self, current: KeyRecord) -> str:
        return entry_name(self._profile, self._origin, _OTHER_SLOT[current.slot])


def _changed_meanwhile() -> StoreError:
    return StoreError(
        "Another command has changed this device's keys meanwhile.",
        hint="`ollama-cli keys list` shows them. Try again.",
        code="keys_changed",
    )

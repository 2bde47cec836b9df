"""What is not secret about the stored credentials, in one readable file: which there are, and where.

The file is the list; a store only holds what the list names. It is changed under a lock, so that two sign-ins at once
end with one key.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from ollama_cli.credentials.files import private_folder, read_file, refuse_unsafe, write_atomically
from ollama_cli.credentials.public_key import is_public_key
from ollama_cli.errors import StoreError

DEFAULT_PROFILE = "default"
_VERSION = 1
_END_OF_DATES = 253_402_300_800  # the year 10000, in unix seconds
_SECONDS_BEFORE_A_NOTE = 1.0
_STORES = frozenset({"keyring", "file", "memory"})

CURRENT, NEW, OLD, LEFT = "current", "new", "old", "left"
"""What a key is to its profile and origin: the one that signs; the one that a rotation will put in its place; the one
that a rotation has replaced and that is still to be taken off the account; and one that is only to be deleted here."""

_ROLES = frozenset({CURRENT, NEW, OLD, LEFT})


@dataclass(frozen=True)
class Record:
    """A stored device key.

    Attributes:
        profile: Whose it is.
        origin: The one origin that it signs for.
        store: The kind of store that holds it.
        public_key: Its public key line.
        created_at: When it was made, in unix seconds.
        signed_in_at: When it was first seen on an account, in unix seconds; None is never.
        shared_with: Whose key it is too: ``ollama`` for the installed Ollama's, or None.
        role: ``current``, or what it is to a rotation.
        slot: Which of the two entries that a profile and an origin have in a store holds it: 1, or 2.
        account: Of a new key, the account that the current one was on when the rotation began.
    """

    profile: str
    origin: str
    store: str
    public_key: str
    created_at: int
    signed_in_at: int | None = None
    shared_with: str | None = None
    role: str = CURRENT
    slot: int = 1
    account: str | None = None

    @classmethod
    def read(cls, item: dict[str, Any]) -> Record:
        """A record as the file holds it; what a later release notes besides is let be."""
        return cls(**{field.name: item[field.name] for field in fields(cls) if field.name in item})

    @property
    def entry(self) -> str:
        """The name of its entry in the store."""
        return entry_name(self.profile, self.origin, self.slot)


def entry_name(profile: str, origin: str, slot: int = 1) -> str:
    """The name under which a store keeps a key of a profile for an origin; the second is for a rotation."""
    return f"{profile}@{origin}" if slot == 1 else f"{profile}@{origin}#{slot}"


class CredentialIndex:
    """The list of stored credentials.

    Args:
        path: The file; it need not be there.
        lock_seconds: How long to wait for another process that changes it.
        tell_busy: Called when that takes more than a moment.
    """

    def __init__(
        self, path: Path, *, lock_seconds: float = 150.0, tell_busy: Callable[[], None] = lambda: None
    ) -> None:
        self._path = path
        self._lock_seconds = lock_seconds
        self._tell_busy = tell_busy

    def find(self, profile: str, origin: str) -> Record | None:
        """The record of the key that signs for an origin, or None."""
        return next((r for r in self.of(profile, origin) if r.role == CURRENT), None)

    def of(self, profile: str, origin: str) -> list[Record]:
        """The records of a profile for an origin: more than one while a rotation is under way."""
        return [r for r in self._read() if (r.profile, r.origin) == (profile, origin)]

    def all(self) -> list[Record]:
        """Every record, in the order in which the keys were stored."""
        return self._read()

    def add(
        self,
        profile: str,
        origin: str,
        store: str,
        public_key: str,
        *,
        shared_with: str | None = None,
        role: str = CURRENT,
        slot: int = 1,
        account: str | None = None,
    ) -> Record:
        """Note a key that has been stored, in place of an older one of the same profile, origin and role."""
        record = Record(profile, origin, store, public_key, int(time.time()), None, shared_with, role, slot, account)
        replaced = (profile, origin, role)
        others = (r for r in self._read() if r.entry != record.entry and (r.profile, r.origin, r.role) != replaced)
        self._write([*others, record])
        return record

    def change(self, *records: Record) -> None:
        """Put records in the place of those with the same entries, all at once."""
        changed = {record.entry: record for record in records}
        self._write([changed.get(r.entry, r) for r in self._read()])

    def note_signed_in(self, record: Record) -> None:
        """Note that a key was seen on an account."""
        noted = replace(record, signed_in_at=int(time.time()))
        self._write([noted if r.entry == record.entry else r for r in self._read()])

    def note_shared(self, record: Record, shared_with: str) -> Record:
        """Note whose key it is too."""
        noted = replace(record, shared_with=shared_with)
        self._write([noted if r.entry == record.entry else r for r in self._read()])
        return noted

    def remove(self, record: Record) -> None:
        """Take a record off the list."""
        self._write([r for r in self._read() if r.entry != record.entry])

    @contextmanager
    def locked(self, seconds: float | None = None) -> Iterator[None]:
        """Keep other processes from changing the list.

        Args:
            seconds: How long to wait for another process; None is as long as it may take to answer a question.

        Raises:
            StoreError: Another process held it for too long, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        def acquire() -> None:
            try:
                lock.acquire(timeout=min(patience, _SECONDS_BEFORE_A_NOTE))
            except Timeout:
                if patience <= _SECONDS_BEFORE_A_NOTE:
                    raise
                self._tell_busy()
                lock.acquire(timeout=patience - _SECONDS_BEFORE_A_NOTE)

        refuse_unsafe(private_folder(self._path.parent))
        patience = self._lock_seconds if seconds is None else seconds
        lock = FileLock(self._path.with_suffix(".lock"), mode=0o600)
        try:
            acquire()
        except Timeout as error:
            raise StoreError(
                "Another ollama-cli is changing the stored credentials and does not finish.",
                hint="Answer its question, or end it, and try again.",
                code="store_busy",
            ) from error
        except OSError as error:
            raise StoreError(
                f"{lock.lock_file} cannot be written: {error.strerror or error}.",
                hint="Mend the folder's permissions, or name another folder with OLLAMA_CLI_HOME.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _read(self) -> list[Record]:
        refuse_unsafe(self._path.parent)
        refuse_unsafe(self._path)
        cause: Exception | None = None
        ours, records = False, list[Record]()
        try:
            content = json.loads(read_file(self._path).decode("utf-8"))
            records = [Record.read(item) for item in content["credentials"]]
            ours = content["version"] == _VERSION and all(map(_is_sound, content["credentials"]))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"{self._path} cannot be read: {error.strerror}.",
                hint="Mend its owner and permissions, or move it away and run `ollama-cli signin`.",
            ) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            cause = error
        if not ours:
            raise StoreError(
                f"{self._path} is damaged, or of a later release: it is not the list of credentials that it should be.",
                hint="Move it away and run `ollama-cli signin`: a key that is still in its store is found again; "
                "with `ollama-cli --insecure-storage signin`, one that is kept in a file.",
                code="index_damaged",
            ) from cause
        return records

    def _write(self, records: list[Record]) -> None:
        content = {"version": _VERSION, "credentials": [asdict(record) for record in records]}
        write_atomically(self._path, json.dumps(content, indent=2) + "\n")


def _is_sound(item: dict[str, Any]) -> bool:
    """Whether what was read for a record is what a record holds; the file may have been edited by hand."""
    texts = (item["profile"], item["origin"], item["public_key"])
    made = item["created_at"]
    return (
        item["store"] in _STORES
        and all(isinstance(text, str) for text in texts)
        and is_public_key(item["public_key"])
        and isinstance(made, int)
        and 0 <= made < _END_OF_DATES
        and isinstance(item.get("signed_in_at"), int | None)
        and isinstance(item.get("shared_with"), str | None)
        and item.get("role", CURRENT) in _ROLES
        and item.get("slot", 1) in {1, 2}
        and isinstance(item.get("account"), str | None)
    )

"""What is not secret about the stored credentials, in one readable file: which there are, and where.

The file is the list; a store only holds what the list names. It is changed under a lock, so that two sign-ins at once
end with one key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ollama_cli.credentials.files import private_folder, read_file, refuse_unsafe, write_atomically
from ollama_cli.credentials.listing import CURRENT, KeyRecord, Listing, parse_listing, text_of_listing
from ollama_cli.credentials.secret_record import SecretRecord
from ollama_cli.errors import StoreError

FILE_NAME = "credentials.json"
"""What the file is called, in the data folder."""

_SECONDS_BEFORE_A_NOTE = 1.0

_Stored = TypeVar("_Stored", KeyRecord, SecretRecord)


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
        self._last: tuple[tuple[int, ...], Listing] | None = None

    def read(self) -> Listing:
        """The whole list."""
        return self._read()

    def profiles(self) -> list[str]:
        """The names of all profiles: the default one first, the others sorted."""
        return self._read().profiles

    def find(self, profile: str, origin: str) -> KeyRecord | None:
        """The record of a profile's device key that signs for an origin, or None."""
        return next((r for r in self.of(profile, origin) if r.role == CURRENT), None)

    def of(self, profile: str, origin: str) -> list[KeyRecord]:
        """The records of a profile's device keys for an origin: more than one while a rotation is under way."""
        return [r for r in self._read().records if (r.profile, r.origin) == (profile, origin)]

    def all(self) -> list[KeyRecord]:
        """The record of every device key, in the order in which the keys were stored."""
        return list(self._read().records)

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
    ) -> KeyRecord:
        """Note a key that has been stored, in place of an older one of the same profile, origin and role."""
        made = int(time.time())
        record = KeyRecord(
            profile, origin, store, public_key, made, shared_with=shared_with, role=role, slot=slot, account=account
        )
        listing, replaced = self._read(), (profile, origin, role)
        others = tuple(r for r in listing.records if (r.profile, r.origin, r.role) != replaced)
        self._write(listing._replace(records=_with(others, record)))
        return record

    def note_used(self, record: KeyRecord, *, signed_in: bool) -> None:
        """Note that a key was used now, and whether that showed that it is on an account."""
        now = int(time.time())
        seen = (record.signed_in_at or now) if signed_in else record.signed_in_at
        self.change(record._replace(last_used_at=now, signed_in_at=seen))

    def note_shared(self, record: KeyRecord, shared_with: str) -> KeyRecord:
        """Note whose key it is too."""
        noted = record._replace(shared_with=shared_with)
        self.change(noted)
        return noted

    def remove(self, record: KeyRecord) -> None:
        """Take a record off the list."""
        listing = self._read()
        self._write(listing._replace(records=_without(listing.records, record)))

    def put_secret(self, record: SecretRecord, *, in_place_of: KeyRecord | None = None) -> None:
        """Note an API key or a token that has been stored, in place of an older one, or of a device key."""
        listing = self._read()
        records = _without(listing.records, in_place_of) if in_place_of else listing.records
        self._write(listing._replace(records=records, secrets=_with(listing.secrets, record)))

    def remove_secret(self, record: SecretRecord) -> None:
        """Take an API key or a token off the list."""
        listing = self._read()
        self._write(listing._replace(secrets=_without(listing.secrets, record)))

    def restore(self, listing: Listing) -> None:
        """Take back what was noted since a list was read."""
        self._write(listing)

    def use(self, profile: str) -> None:
        """Have a profile count where none is named."""
        self._write(self._read()._replace(current=profile))

    def change(self, *records: KeyRecord) -> None:
        """Put records in the place of those that they were, all at once."""
        listing, changed = self._read(), {record.entry: record for record in records}
        self._write(listing._replace(records=tuple(changed.get(r.entry, r) for r in listing.records)))

    def stamp(self) -> object:
        """What differs after every change of the list, by this process or another; it costs next to nothing to ask."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

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
        self._last = None
        try:
            yield
        finally:
            lock.release()

    def _read(self) -> Listing:
        """The list, read anew where the file is not the one that was read last."""
        refuse_unsafe(self._path.parent)
        refuse_unsafe(self._path)
        try:
            found = self._path.stat()
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if self._last is None or self._last[0] != state:
                self._last = (state, self._parse(read_file(self._path)))
        except FileNotFoundError:
            return Listing()
        except OSError as error:
            raise StoreError(
                f"{self._path} cannot be read: {error.strerror}.",
                hint="Mend its owner and permissions, or move it away and run `ollama-cli signin`.",
            ) from error
        return self._last[1]

    def _parse(self, text: bytes) -> Listing:
        try:
            return parse_listing(text)
        except ValueError as error:
            raise StoreError(
                f"{self._path} is damaged, or of a later release: it is not the list of credentials that it should be.",
                hint="If a later release has written it, use that. Else move it away and run `ollama-cli signin`: a "
                "key that is still in its store is found again; with `ollama-cli --insecure-storage signin`, one that "
                "is kept in a file. API keys and tokens have to be given anew.",
                code="index_damaged",
            ) from error

    def _write(self, listing: Listing) -> None:
        write_atomically(self._path, text_of_listing(listing))
        self._last = None


def _with(records: tuple[_Stored, ...], record: _Stored) -> tuple[_Stored, ...]:
    return _without(records, record) + (record,)  # noqa: RUF005 - mypy knows this one


def _without(records: tuple[_Stored, ...], record: _Stored) -> tuple[_Stored, ...]:
    return tuple(r for r in records if r.entry != record.entry)

"""The sandbox's one account: its devices and API keys, in SQLite, shared by every process that uses the same folder.

Each call opens the file anew, so that a call may come from any thread, and another process sees its outcome at once.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ollama_cli.credentials.files import private_file, private_folder
from ollama_cli.errors import StoreError
from ollama_cli.secret import Secret

DATABASE = "account.sqlite3"
SECONDS_TO_WAIT = 10.0
"""How long a write waits for another process's."""

LONGEST_NAME = 200
_SHOWN_OF_API_KEY = 12

_SCHEMA = """
CREATE TABLE IF NOT EXISTS devices (
    public_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('approved', 'denied', 'removed')),
    added INTEGER NOT NULL,
    last_used INTEGER
);
CREATE TABLE IF NOT EXISTS api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    made INTEGER NOT NULL,
    last_used INTEGER
);
"""


@dataclass(frozen=True)
class Device:
    """A device that somebody has decided about.

    Attributes:
        public_key: Its public key line.
        name: What it calls itself; it may hold anything.
        state: ``approved``, ``denied``, or ``removed``.
        added: When it was approved or denied, in unix seconds.
        last_used: When it last signed a request, or None.
    """

    public_key: str
    name: str
    state: str
    added: int
    last_used: int | None


@dataclass(frozen=True)
class ApiKeyEntry:
    """What is known of an API key once it has been shown: not the key.

    Attributes:
        id: A number that names it on the page.
        prefix: How it begins.
        name: What it is for.
        made: When, in unix seconds.
        last_used: When it was last taken, or None.
    """

    id: int
    prefix: str
    name: str
    made: int
    last_used: int | None


class Accounts:
    """The account's devices and API keys.

    Args:
        folder: Where the database stands; made for its owner alone.

    Raises:
        StoreError: The folder or the file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._path = private_folder(folder) / DATABASE
        try:
            private_file(self._path)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        with self._database() as database:
            database.executescript(_SCHEMA)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=SECONDS_TO_WAIT)) as database, database:
                yield database
        except sqlite3.Error as error:
            raise self._unusable(str(error)) from error
        except UnicodeDecodeError as error:  # of what SQLite says, where it names a table whose name is damaged
            raise self._unusable("it is damaged") from error

    def _unusable(self, reason: str) -> StoreError:
        return StoreError(
            f"The sandbox's account in {self._path} cannot be used: {reason}.",
            hint="Free some space, mend the folder's permissions, or remove the file to begin with an empty account.",
        )

    def device(self, public_key: str) -> Device | None:
        """A device that somebody has decided about, or None."""
        with self._database() as database:
            row = database.execute(
                "SELECT public_key, name, state, added, last_used FROM devices WHERE public_key = ?", (public_key,)
            ).fetchone()
        return Device(*row) if row else None

    def devices(self) -> list[Device]:
        """The devices on the account, the oldest first."""
        with self._database() as database:
            rows = database.execute(
                "SELECT public_key, name, state, added, last_used FROM devices WHERE state = 'approved' "
                "ORDER BY added, public_key"
            ).fetchall()
        return [Device(*row) for row in rows]

    def approve(self, public_key: str, name: str, now: int) -> None:
        """Put a device on the account."""
        self._decide(public_key, name, "approved", now)

    def deny(self, public_key: str, name: str, now: int) -> None:
        """Note that a device was turned away; it can be approved later."""
        self._decide(public_key, name, "denied", now)

    def _decide(self, public_key: str, name: str, state: str, now: int) -> None:
        with self._database() as database:
            database.execute(
                "INSERT INTO devices (public_key, name, state, added) VALUES (?, ?, ?, ?) ON CONFLICT (public_key) "
                "DO UPDATE SET name = excluded.name, state = excluded.state, added = excluded.added",
                (public_key, _storable(name), state, now),
            )

    def remove(self, public_key: str) -> bool:
        """Take a device off the account; its name is remembered for its next link. Whether it was on it."""
        with self._database() as database:
            done = database.execute(
                "UPDATE devices SET state = 'removed', last_used = NULL WHERE public_key = ? AND state = 'approved'",
                (public_key,),
            )
        return done.rowcount > 0

    def use_device(self, public_key: str, now: int) -> bool:
        """Note that a device signed a request. Whether it is on the account."""
        with self._database() as database:
            done = database.execute(
                "UPDATE devices SET last_used = ? WHERE public_key = ? AND state = 'approved'", (now, public_key)
            )
        return done.rowcount > 0

    def make_api_key(self, name: str, now: int) -> Secret:
        """Make an API key; only its digest is kept, so this is the one time that it can be seen."""
        key = f"sandbox-{secrets.token_urlsafe(32)}"
        with self._database() as database:
            database.execute(
                "INSERT INTO api_keys (digest, prefix, name, made) VALUES (?, ?, ?, ?)",
                (_digest(key), key[:_SHOWN_OF_API_KEY], _storable(name), now),
            )
        return Secret(key)

    def api_keys(self) -> list[ApiKeyEntry]:
        """The API keys, the oldest first."""
        with self._database() as database:
            rows = database.execute("SELECT id, prefix, name, made, last_used FROM api_keys ORDER BY id").fetchall()
        return [ApiKeyEntry(*row) for row in rows]

    def remove_api_key(self, number: int) -> bool:
        """Revoke an API key. Whether there was one."""
        with self._database() as database:
            return database.execute("DELETE FROM api_keys WHERE id = ?", (number,)).rowcount > 0

    def use_api_key(self, key: str, now: int) -> bool:
        """Note that an API key was taken. Whether it is one of the account's."""
        with self._database() as database:
            done = database.execute("UPDATE api_keys SET last_used = ? WHERE digest = ?", (now, _digest(key)))
        return done.rowcount > 0


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _storable(name: str) -> str:
    """A name as SQLite takes it: no lone surrogates, and not without end."""
    return name[:LONGEST_NAME].encode("utf-8", "replace").decode()

"""The SQLite file in which chats are kept: made, opened, checked and brought up to date; its failures become ours.

Each piece of work opens the file, does all or nothing, and closes it: chats in two terminals share it, and a program
that is killed at any moment leaves what it had written before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ollama_cli.credentials.files import private_file, private_folder
from ollama_cli.errors import ArchiveError, StoreError

_APPLICATION = 0x6F6C6C61
"""What the file's header says it belongs to; a file that says otherwise is not ours to write to."""

# A step brings the file from the version that is its place in the list to the next one. A released step is not changed.
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE chats (
            id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given to a second chat
            title TEXT NOT NULL,
            model TEXT NOT NULL,                   -- as `run` takes it
            settings TEXT NOT NULL,                -- JSON
            created_at INTEGER NOT NULL,           -- unix seconds
            changed_at INTEGER NOT NULL,
            revision INTEGER NOT NULL              -- greater than every other one's when the chat was changed
        )
        """,
        """
        CREATE TABLE messages (
            chat INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            role TEXT NOT NULL,
            content TEXT NOT NULL,
            rest TEXT NOT NULL,                    -- JSON: what else it holds; last, for it may be long
            PRIMARY KEY (chat, position)
        )
        """,
    ),
)
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class Database:
    """The file.

    Args:
        path: The file; it need not be there.
        lock_seconds: How long to wait for another process that writes to it.
    """

    def __init__(self, path: Path, *, lock_seconds: float = 20.0) -> None:
        self.path = path
        self._lock_seconds = lock_seconds

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Read the file as it is at one moment; None where there is none, or nothing in it.

        Raises:
            ArchiveError: It cannot be read, is damaged, or is of a later release.
        """
        with self._failures():
            if not self.path.exists():
                yield None
                return
            with closing(self._connect()) as connection:
                connection.execute("BEGIN")
                yield connection if self._version(connection) else None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change the file, which is made if need be: all that the block does, or nothing of it.

        Raises:
            ArchiveError: It cannot be written, is damaged, or is of a later release.
        """
        with self._failures():
            self._make()
            with closing(self._connect()) as connection:
                connection.execute("BEGIN")
                is_empty = not self._version(connection)
                connection.execute("ROLLBACK")
                if is_empty:
                    connection.execute("PRAGMA auto_vacuum = FULL")
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("BEGIN IMMEDIATE")
                with connection:
                    self._migrate(connection)
                    yield connection

    def _make(self) -> None:
        """Have a file that only its owner can read; SQLite gives its journal the same mode."""
        private_folder(self.path.parent)
        private_file(self.path)

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode=rw"  # never makes a file; one that is read-only is only read
        return sqlite3.connect(uri, uri=True, timeout=self._lock_seconds, isolation_level=None)

    def _version(self, connection: sqlite3.Connection) -> int:
        """The version of what the file holds; 0 while it is empty."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application == _APPLICATION and version > len(_STEPS):
            raise ArchiveError(
                f"{self.path} was written by a later release of ollama-cli.",
                hint="Use that release, or move the file away to begin anew.",
                code="chats_newer",
            )
        if application != (_APPLICATION if version else 0) or bool(tables) != bool(version) or version < 0:
            raise self._damaged()
        return int(version)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = self._version(connection)
        if version == len(_STEPS):
            return
        for step in _STEPS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(_STEPS)}")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._failure(error) from error
        except (UnicodeDecodeError, OverflowError) as error:  # a table's name is damaged, or a number too large
            raise self._damaged() from error
        except StoreError as error:  # of the folder
            raise ArchiveError(error.message, hint=error.hint) from error
        except OSError as error:
            raise self._unavailable(error.strerror or str(error)) from error

    def _failure(self, error: sqlite3.DatabaseError) -> ArchiveError:
        result = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # without the extension
        if result in _DAMAGED:
            return self._damaged()
        if result in _BUSY:
            return ArchiveError(
                f"Another program is writing to {self.path} and does not finish.",
                hint="End it, and try again.",
                code="chats_busy",
            )
        return self._unavailable(str(error))

    def _damaged(self) -> ArchiveError:
        return ArchiveError(
            f"{self.path} is damaged, or is not the file of kept chats that it should be. It was not changed.",
            hint="Put a copy of it back, or move it away to begin anew.",
            code="chats_damaged",
        )

    def _unavailable(self, reason: str) -> ArchiveError:
        return ArchiveError(
            f"{self.path}, where chats are kept, cannot be used: {reason}.",
            hint="Free some space, mend its owner and permissions, or name another folder with OLLAMA_CLI_HOME.",
        )

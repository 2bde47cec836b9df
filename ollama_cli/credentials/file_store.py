"""Secrets in files that only their owner can read: the store for those who ask for it with --insecure-storage."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from ollama_cli.credentials.files import read_file, refuse_unsafe, remove_leftovers, write_atomically
from ollama_cli.errors import StoreError
from ollama_cli.secret import Secret


class FileStore:
    """A folder with a file an entry, each 0600 and not encrypted.

    Args:
        folder: Where the files stand; made when the first one is written.
    """

    kind = "file"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def description(self) -> str:
        """The folder, and that it is not encrypted."""
        return f"a file in {self._folder}, not encrypted"

    def _path(self, entry: str) -> Path:
        return self._folder / quote(entry, safe="@")

    def get(self, entry: str) -> Secret | None:
        """The secret of an entry, or None where there is none."""
        refuse_unsafe(self._folder)
        refuse_unsafe(self._path(entry))
        try:
            return Secret(read_file(self._path(entry)).decode("utf-8"))  # with its own line ends
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{self._path(entry)} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}.",
                hint="Mend the file's owner and permissions, or move it away and sign in anew.",
            ) from error

    def put(self, entry: str, secret: Secret) -> None:
        """Write a secret and read it back. What a kill in the middle of an earlier write has left is removed."""
        refuse_unsafe(self._folder)
        with suppress(OSError):  # then it is removed with the entry
            remove_leftovers(self._path(entry))
        write_atomically(self._path(entry), secret.reveal())
        if self.get(entry) != secret:
            raise StoreError(f"{self._path(entry)} does not hold what was written to it.", hint="Look at the disk.")

    def delete(self, entry: str) -> None:
        """Remove an entry's file, and what of it a kill has left; one that is not there is no error."""
        try:
            remove_leftovers(self._path(entry))
            self._path(entry).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self._path(entry)} cannot be removed: {error.strerror}.",
                hint="Remove it by hand: it holds a secret.",
            ) from error

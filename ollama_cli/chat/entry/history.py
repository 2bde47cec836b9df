"""The lines that were typed before, in a file of their own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory

from ollama_cli.credentials.files import private_folder
from ollama_cli.errors import StoreError


class PrivateHistory(FileHistory):
    """A history in a file that only its owner can read. Where it cannot be written, nothing is lost but the history.

    Args:
        path: The file; it need not be there.
        enabled: Whether lines are kept, and shown, at all.
    """

    def __init__(self, path: Path, *, enabled: bool) -> None:
        super().__init__(str(path))
        self._path = path
        self.enabled = enabled

    def load_history_strings(self) -> Iterable[str]:
        """The lines of earlier chats, the newest first."""
        try:
            return list(super().load_history_strings()) if self.enabled else []
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        """Keep a line."""
        if not self.enabled:
            return
        with suppress(OSError, StoreError):
            private_folder(self._path.parent)
            self._path.touch(mode=0o600)
            super().store_string(string)

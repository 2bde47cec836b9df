"""What every credential store does, and the store that keeps nothing past the process."""

from __future__ import annotations

from typing import Protocol

from ollama_cli.secret import Secret


class CredentialStore(Protocol):
    """A place for secrets, by entry name.

    Every method raises ``StoreError`` where the store cannot be used at all.
    """

    kind: str
    """One word for the index and for scripts: ``keyring``, ``file``, ``memory``."""

    @property
    def description(self) -> str:
        """What the store is, for a person."""

    def get(self, entry: str) -> Secret | None:
        """The secret of an entry, or None where there is none."""

    def put(self, entry: str, secret: Secret) -> None:
        """Store a secret and read it back, so that a store that only pretends is found out."""

    def delete(self, entry: str) -> None:
        """Forget an entry; one that is not there is no error."""


class MemoryStore:
    """A store that lasts as long as the process: for tests, and for a library's own use."""

    kind = "memory"
    description = "this process's memory"

    def __init__(self) -> None:
        self._secrets: dict[str, Secret] = {}

    def get(self, entry: str) -> Secret | None:
        """The secret of an entry, or None where there is none."""
        return self._secrets.get(entry)

    def put(self, entry: str, secret: Secret) -> None:
        """Keep a secret."""
        self._secrets[entry] = secret

    def delete(self, entry: str) -> None:
        """Forget an entry; one that is not there is no error."""
        self._secrets.pop(entry, None)

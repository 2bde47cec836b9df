"""The credential for the cloud: read once, and again once the list of stored keys has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_cli.settings.hosts import KEYS_PAGE

if TYPE_CHECKING:
    from ollama_cli.credentials.credential import Active
    from ollama_cli.transport.auth import CredentialAuth


@dataclass(frozen=True)
class Signed:
    """A credential that is ready for use.

    Attributes:
        active: The credential.
        auth: What puts it on requests.
        link: Where a person mends it when it is refused.
    """

    active: Active
    auth: CredentialAuth
    link: str


@dataclass(frozen=True)
class KeySource:
    """Where the credential comes from.

    Attributes:
        read: Gives the one that counts now; it may take a while, for a keyring may have to be opened.
        stamp: What differs once a key was stored, changed or forgotten.
        authentication: Gives what puts a credential on requests.
        link: The link that puts a device key on an account; None for an API key.
    """

    read: Callable[[], Active]
    stamp: Callable[[], object]
    authentication: Callable[[Active], CredentialAuth]
    link: Callable[[Active], str | None]


class Signer:
    """Holds the credential.

    Args:
        source: Where it comes from.
    """

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._signed: Signed | None = None
        self._stamp: object = None
        self._reading = asyncio.Lock()

    async def current(self) -> Signed:
        """The credential that counts now.

        Raises:
            StoreError: The store cannot be used.
        """
        if self._signed is not None and not self.changed:
            return self._signed
        async with self._reading:
            if self._signed is None or self.changed:
                active, self._stamp = await asyncio.to_thread(self._read)
                if self._signed is None or self._signed.active.credential != active.credential:
                    link = self._source.link(active) or KEYS_PAGE
                    self._signed = Signed(active, self._source.authentication(active), link)
            return self._signed

    @property
    def changed(self) -> bool:
        """Whether the stored keys have changed since the credential was read."""
        return self._source.stamp() != self._stamp

    def _read(self) -> tuple[Active, object]:
        """The credential, and the stamp after which it was read: reading may make a key, which changes the list."""
        while True:
            before = self._source.stamp()
            active = self._source.read()
            if self._source.stamp() == before:
                return active, before

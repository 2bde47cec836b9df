"""The tokens that a running sandbox's registry has given, and the nonces that it was shown."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

SECONDS_OF_TOKEN = 300
"""How long a token is good."""

SECONDS_OF_NONCE = 600
"""How long a nonce is remembered: as long as a signature with it could be taken."""

_NONCE = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass
class RegistryPasses:
    """The tokens and nonces of one running sandbox."""

    _given: dict[str, tuple[int, frozenset[tuple[str, str]]]] = field(default_factory=dict)
    _nonces: dict[str, int] = field(default_factory=dict)

    def give(self, rights: frozenset[tuple[str, str]], now: int) -> str:
        """A new token for some rights: pairs of a repository and what may be done to it."""
        self._given = {token: given for token, given in self._given.items() if given[0] > now}
        token = secrets.token_urlsafe(32)
        self._given[token] = (now + SECONDS_OF_TOKEN, rights)
        return token

    def holds(self, token: str, rights: Iterable[tuple[str, str]], now: int) -> bool:
        """Whether a token is good, and for all of some rights."""
        until, given = self._given.get(token, (0, frozenset()))
        return now < until and given.issuperset(rights)

    def use_nonce(self, nonce: str, now: int) -> bool:
        """Take a nonce. Whether it was never taken while a signature with it could be valid."""
        self._nonces = {old: until for old, until in self._nonces.items() if until >= now}
        if nonce in self._nonces or not _NONCE.fullmatch(nonce):
            return False
        self._nonces[nonce] = now + SECONDS_OF_NONCE
        return True

"""The profiles of this machine: which there are, and which one counts. A profile is there while it keeps something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.errors import SignInError, UsageError
from ollama_cli.settings.profile_name import DEFAULT_PROFILE

if TYPE_CHECKING:
    from ollama_cli.credentials.listing import Listing


class Profiles:
    """The profiles in a list of stored credentials.

    Args:
        index: The list.
    """

    def __init__(self, index: CredentialIndex) -> None:
        self._index = index

    def listing(self) -> Listing:
        """What is known about every credential of this machine; no store is opened."""
        return self._index.read()

    def require(self, name: str) -> None:
        """Make sure that a profile is there, so that a name mistyped is not taken for a new one.

        Raises:
            SignInError: It is not.
        """
        if name not in self._index.profiles():
            raise SignInError(
                f"There is no profile {name} on this machine.",
                hint=f"ollama-cli --profile {name} signin makes it; `ollama-cli profile list` shows those that there "
                "are.",
                code="no_such_profile",
            )

    def use(self, name: str) -> bool:
        """Have a profile count where none is named; whether it did not before.

        Raises:
            UsageError: There is no such profile.
            StoreError: The list cannot be written.
        """
        with self._index.locked():
            try:
                self.require(name)
            except SignInError as error:
                raise UsageError(error.message, hint=error.hint, code=error.code) from None
            if self._index.read().current == name:
                return False
            self._index.use(name)
            return True

    def leave(self, name: str) -> bool:
        """Have the default profile count again, where another one did; whether that was so."""
        with self._index.locked():
            if name == DEFAULT_PROFILE or self._index.read().current != name:
                return False
            self._index.use(DEFAULT_PROFILE)
            return True

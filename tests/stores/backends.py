"""Keyring backends that misbehave, to be named in PYTHON_KEYRING_BACKEND."""

import threading

from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, PasswordDeleteError, PasswordSetError

released = threading.Event()
"""Set by a test to let the slow backend go on."""


class Kept(KeyringBackend):
    """A sound backend that keeps what it is given, in memory."""

    priority = 1
    kept: dict[tuple[str, str], str] = {}  # noqa: RUF012 - shared, as a keyring is

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


class Slow(Kept):
    """Waits for a person who is not there."""

    def get_password(self, service: str, username: str) -> str | None:
        released.wait(60)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        released.wait(60)


class Forgetful(Kept):
    """Takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass

    def get_password(self, service: str, username: str) -> str | None:
        return None


class Truncating(Kept):
    """Keeps a part only."""

    def get_password(self, service: str, username: str) -> str | None:
        password = super().get_password(service, username)
        return None if password is None else password[:10]


class Talkative(Kept):
    """Fails, and tells what it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(f"could not store {password}")

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringError("no luck")


class PlaintextKeyring(Kept):
    """Named as keyrings.alt's is."""

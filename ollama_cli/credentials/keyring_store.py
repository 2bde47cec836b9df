"""Secrets in the keyring of the operating system. The only module that imports keyring.

Every call is bounded in time, for a locked keyring may wait for a person who is not there; a backend that keeps
secrets in plain text or keeps nothing is refused; and what is written is read back.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ollama_cli.credentials import keyring_failures
from ollama_cli.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "ollama-cli"
"""The name under which a keyring shows our entries."""

SECONDS_ALONE = 10.0
"""How long a call may take when nobody is there to answer a question of the keyring's."""

SECONDS_WITH_A_PERSON = 120.0
"""How long a call may take when a person may have to type the keyring's password."""

SECONDS_BEFORE_A_NOTE = 2.0
"""After how long a person is told that the keyring is what takes the time."""

_NATIVE = {
    "darwin": "keyring.backends.macOS.Keyring",
    "win32": "keyring.backends.Windows.WinVaultKeyring",
}
_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"  # noqa: S105 - a class's name
_WINDOWS = "keyring.backends.Windows"
_WINDOWS_BYTES = 2560
_ASKS_IN_A_WINDOW = frozenset({"keyring.backends.SecretService", "keyring.backends.libsecret"})

_T = TypeVar("_T")


class KeyringStore:
    """The system's keyring.

    Args:
        person_present: Whether somebody could answer when the keyring asks for its password.
        has_display: Whether a window of the keyring's would be seen.
        seconds: Bound on a call; by default it follows from ``person_present``.
        tell_waiting: Called when a call takes long and a person is present.
    """

    kind = "keyring"

    def __init__(
        self,
        *,
        person_present: bool,
        has_display: bool = False,
        seconds: float | None = None,
        tell_waiting: Callable[[], None] | None = None,
    ) -> None:
        self._person_present = person_present
        self._has_display = has_display
        self._seconds = seconds or (SECONDS_WITH_A_PERSON if person_present else SECONDS_ALONE)
        self._tell_waiting = tell_waiting if person_present else None
        self._loaded: KeyringBackend | None = None

    @property
    def description(self) -> str:
        """The keyring's usual name on this system."""
        names = {"darwin": "the macOS keychain", "win32": "the Windows Credential Manager"}
        return names.get(sys.platform, "the system keyring")

    def get(self, entry: str) -> Secret | None:
        """The secret of an entry, or None where there is none."""
        text = self._call(lambda backend: backend.get_password(SERVICE, entry))
        return None if text is None else Secret(text)

    def put(self, entry: str, secret: Secret) -> None:
        """Store a secret and read it back."""

        def write_and_read(backend: KeyringBackend) -> str | None:
            if type(backend).__module__ == _WINDOWS and len(secret.reveal().encode("utf-16-le")) > _WINDOWS_BYTES:
                raise keyring_failures.too_long()
            backend.set_password(SERVICE, entry, secret.reveal())
            return backend.get_password(SERVICE, entry)

        text = self._call(write_and_read)
        if text is None or Secret(text) != secret:
            raise keyring_failures.forgetful()

    def delete(self, entry: str) -> None:
        """Forget an entry; one that is not there is no error."""

        def remove(backend: KeyringBackend) -> None:
            # Whether a missing entry is an error, and which one, differs between backends: that it is gone counts.
            if backend.get_password(SERVICE, entry) is None:
                return
            try:
                backend.delete_password(SERVICE, entry)
            except Exception:
                if backend.get_password(SERVICE, entry) is not None:
                    raise

        self._call(remove)

    def _call(self, work: Callable[[KeyringBackend], _T]) -> _T:
        """Do something with the backend within the bound, in a thread that does not keep the process alive."""
        results: list[_T] = []
        failures: list[BaseException] = []

        def body() -> None:
            try:
                results.append(work(self._backend()))
            except Exception as error:  # noqa: BLE001 - a backend may be anybody's code; told apart below
                failures.append(error)

        thread = threading.Thread(target=body, daemon=True, name="keyring")
        thread.start()
        left = self._seconds
        if self._tell_waiting is not None and left > SECONDS_BEFORE_A_NOTE:
            thread.join(SECONDS_BEFORE_A_NOTE)
            left -= SECONDS_BEFORE_A_NOTE
            if thread.is_alive():
                self._tell_waiting()
        thread.join(left)
        if thread.is_alive():
            raise keyring_failures.slow(self._seconds)
        if failures:
            raise keyring_failures.explain(failures[0], can_ask=self._can_ask()) from failures[0]
        return results[0]

    def _can_ask(self) -> bool:
        """Whether a person could have seen a question of the keyring's."""
        in_a_window = self._loaded is None or type(self._loaded).__module__ in _ASKS_IN_A_WINDOW
        return self._person_present and (self._has_display or not in_a_window)

    def _backend(self) -> KeyringBackend:
        if self._loaded is None:
            self._loaded = _configured_backend() or _native_backend()
        if not self._person_present and type(self._loaded).__module__ in _ASKS_IN_A_WINDOW:
            _refuse_if_it_would_ask()
        return self._loaded


def _configured_backend() -> KeyringBackend | None:
    """The backend that the user chose, by PYTHON_KEYRING_BACKEND or keyringrc.cfg, where it is a safe one."""
    from keyring import core

    try:
        backend = core.load_env() or core.load_config()
    except Exception as error:
        message = f"The keyring backend that is configured cannot be used here ({type(error).__name__})."
        raise keyring_failures.misconfigured(message, "store_absent") from error
    if backend is None:
        return None
    for part in (backend, *getattr(backend, "backends", ())):
        cls = type(part)
        name = f"The keyring is configured to {cls.__module__}.{cls.__name__}"
        if cls.__module__ == "keyring.backends.null":
            raise keyring_failures.misconfigured(f"{name}, which stores nothing.", "store_null")
        if cls.__module__ == "keyring.backends.fail":
            raise keyring_failures.misconfigured(f"{name}, which refuses everything.", "store_absent")
        if cls.__module__.startswith("keyrings.alt") or "plaintext" in cls.__name__.lower():
            raise keyring_failures.misconfigured(f"{name}, which does not keep secrets safe.", "store_plaintext")
    return backend


def _native_backend() -> KeyringBackend:
    """The platform's own backend, by name: a search through every installed one would cost more and may find worse."""
    from keyring import core

    return core.load_keyring(_NATIVE.get(sys.platform, _SECRET_SERVICE))


def _refuse_if_it_would_ask() -> None:
    """Find out whether the Secret Service would open a window to ask for a password, before it does."""
    from contextlib import closing

    import secretstorage

    with closing(secretstorage.dbus_init()) as connection:
        try:
            locked = secretstorage.Collection(connection, "/org/freedesktop/secrets/aliases/default").is_locked()
        except secretstorage.exceptions.ItemNotFoundException:
            raise keyring_failures.uninitialised() from None
    if locked:
        raise keyring_failures.locked()

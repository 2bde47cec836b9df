"""Secrets in the keyring of the operating system. The only module that imports keyring.

Every call is bounded in time, for a locked keyring may wait for a person who is not there; a backend that keeps
secrets in plain text or keeps nothing is refused; and what is written is read back.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ollama_cli.errors import StoreError
from ollama_cli.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "ollama-cli"
"""The name under which a keyring shows our entries."""

SECONDS_ALONE = 10.0
"""How long a call may take when nobody is there to answer a question of the keyring's."""

SECONDS_WITH_A_PERSON = 120.0
"""How long a call may take when a person may have to type the keyring's password."""

_NATIVE = {
    "darwin": "keyring.backends.macOS.Keyring",
    "win32": "keyring.backends.Windows.WinVaultKeyring",
}
_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"  # noqa: S105 - a class's name

_WAYS_OUT = (
    "Start or unlock the keyring and try again; or\n"
    "use an API key (OLLAMA_API_KEY) or a key of your own (--key-file, OLLAMA_CLI_KEY); or\n"
    "keep the key in a file that is not encrypted: ollama-cli --insecure-storage signin"
)

_T = TypeVar("_T")


class KeyringStore:
    """The system's keyring.

    Args:
        person_present: Whether somebody could answer when the keyring asks for its password.
        seconds: Bound on a call; by default it follows from ``person_present``.
    """

    kind = "keyring"

    def __init__(self, *, person_present: bool, seconds: float | None = None) -> None:
        self._person_present = person_present
        self._seconds = seconds or (SECONDS_WITH_A_PERSON if person_present else SECONDS_ALONE)
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
            backend.set_password(SERVICE, entry, secret.reveal())
            return backend.get_password(SERVICE, entry)

        text = self._call(write_and_read)
        if text is None or Secret(text) != secret:
            raise StoreError(
                "The keyring took the key and does not give it back.", hint=_WAYS_OUT, code="store_forgets"
            )

    def delete(self, entry: str) -> None:
        """Forget an entry; one that is not there is no error."""

        def remove(backend: KeyringBackend) -> None:
            # Whether a missing entry is an error, and which one, differs between backends.
            if backend.get_password(SERVICE, entry) is not None:
                backend.delete_password(SERVICE, entry)

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
        thread.join(self._seconds)
        if thread.is_alive():
            raise StoreError(
                f"The keyring did not answer within {self._seconds:g} seconds.", hint=_WAYS_OUT, code="store_slow"
            )
        if failures:
            raise _explain(failures[0]) from failures[0]
        return results[0]

    def _backend(self) -> KeyringBackend:
        if self._loaded is None:
            self._loaded = _configured_backend() or _native_backend(person_present=self._person_present)
        elif _is_secret_service(self._loaded) and not self._person_present:
            _refuse_if_locked()
        return self._loaded


def _configured_backend() -> KeyringBackend | None:
    """The backend that the user chose, by PYTHON_KEYRING_BACKEND or keyringrc.cfg, where it is a safe one."""
    from keyring import core

    backend = core.load_env() or core.load_config()
    if backend is None:
        return None
    for part in (backend, *getattr(backend, "backends", ())):
        cls = type(part)
        name = f"{cls.__module__}.{cls.__name__}"
        if cls.__module__ in {"keyring.backends.null", "keyring.backends.fail"}:
            raise StoreError(
                f"The keyring is configured to {name}, which stores nothing.", hint=_WAYS_OUT, code="store_absent"
            )
        if cls.__module__.startswith("keyrings.alt") or "plaintext" in cls.__name__.lower():
            raise StoreError(
                f"The keyring is configured to {name}, which does not keep secrets safe.",
                hint=_WAYS_OUT,
                code="store_plaintext",
            )
    return backend


def _native_backend(*, person_present: bool) -> KeyringBackend:
    """The platform's own backend, by name: a search through every installed one would cost more and may find worse."""
    from keyring import core

    name = _NATIVE.get(sys.platform, _SECRET_SERVICE)
    backend = core.load_keyring(name)
    if _is_secret_service(backend) and not person_present:
        _refuse_if_locked()
    return backend


def _is_secret_service(backend: KeyringBackend) -> bool:
    return type(backend).__module__ == "keyring.backends.SecretService"


def _refuse_if_locked() -> None:
    """Find out whether the Secret Service would open a window to ask for its password, before it does."""
    from contextlib import closing

    import secretstorage

    with closing(secretstorage.dbus_init()) as connection:
        try:
            locked = secretstorage.Collection(connection, "/org/freedesktop/secrets/aliases/default").is_locked()
        except secretstorage.exceptions.ItemNotFoundException:
            return  # there is no collection yet, which the backend says itself
    if locked:
        raise _locked()


def _locked() -> StoreError:
    return StoreError("The keyring is locked.", hint=_WAYS_OUT, code="store_locked")


def _explain(error: BaseException) -> StoreError:
    """What went wrong in a backend, as one of our errors."""
    from keyring import errors

    if isinstance(error, StoreError):
        return error
    if isinstance(error, errors.KeyringLocked):
        return _locked()
    # The last two: the address of a D-Bus is set, and nothing answers there (any more).
    if isinstance(error, errors.NoKeyringError | ConnectionError | FileNotFoundError) or type(error).__name__ in {
        "SecretServiceNotAvailableException",
        "RuntimeError",  # a backend that is named, but cannot work here
        "ModuleNotFoundError",
    }:
        return StoreError("There is no keyring on this system.", hint=_WAYS_OUT, code="store_absent")
    if isinstance(error, errors.InitError):
        return StoreError("The keyring cannot be opened: it has no collection to store in yet.", hint=_WAYS_OUT)
    # The text of a foreign exception may hold what was being stored; its type cannot.
    return StoreError(f"The keyring failed ({type(error).__name__}).", hint=_WAYS_OUT, code="store_failed")

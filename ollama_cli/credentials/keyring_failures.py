"""What goes wrong in a keyring, told apart: locked, dismissed, absent, denied, or failed in a way of its own.

Errors are recognised by the names of their classes and by the numbers that the systems document, for the packages
that define them exist on one system each. The text of a foreign exception is never shown: it may hold what was being
stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from ollama_cli.errors import StoreError

WAYS_OUT = (
    "use an API key (OLLAMA_API_KEY) or a key of your own (--key-file, OLLAMA_CLI_KEY); or\n"
    "keep the key in a file that is not encrypted: `ollama-cli --insecure-storage signin`"
)
"""What can be done where the keyring cannot be used; a first way, which depends on the fault, stands before it."""

_MACOS_API = "keyring.backends.macOS.api"

# Apple's Security framework: SecBase.h.
_MACOS_LOCKED = frozenset({-25308})  # interaction is not allowed
_MACOS_DENIED = frozenset({-25293, -67030, -25243, -25244})  # authorisation failed, no signature, no access
_MACOS_ABSENT = frozenset({-25291, -25294, -25307})  # no keychain is available, no such, no default one

# Windows: winerror.h.
_WINDOWS_ABSENT = frozenset({1312})  # no such logon session
_WINDOWS_DENIED = frozenset({5})
_WINDOWS_DISMISSED = frozenset({1223})
_WINDOWS_TOO_LONG = frozenset({1783})  # bad stub data: the credential is larger than the 2,560 bytes that fit

# No D-Bus at its address (any more); nobody there under the Secret Service's name; a backend that cannot work here.
_ABSENT = frozenset(
    {
        "NoKeyringError",
        "ConnectionError",
        "FileNotFoundError",
        "SecretServiceNotAvailableException",
        "RuntimeError",
        "ModuleNotFoundError",
    }
)


def explain(error: BaseException, *, can_ask: bool) -> StoreError:
    """What went wrong in a backend, as one of our errors.

    Args:
        error: What the backend raised.
        can_ask: Whether the keyring could have asked a person for its password.
    """
    if isinstance(error, StoreError):
        return error
    chain = list(_causes(error))
    for cause in chain:
        explained = _explain_macos(cause) or _explain_windows(cause)
        if explained is not None:
            return explained
    names = {cls.__name__ for cause in chain for cls in type(cause).__mro__}
    return _explain_names(names, error, can_ask=can_ask)


def _explain_names(names: set[str], error: BaseException, *, can_ask: bool) -> StoreError:
    closed = "PromptDismissedException" in names or "KeyringLocked" in names
    kwallet_closed = error.args == ("Cancelled by user",)  # what keyring says of it where it was to be written
    if kwallet_closed or (closed and can_ask):
        return dismissed()
    if names & {"KeyringLocked", "LockedException"}:
        return locked()
    if names & {"InitError", "PromptDismissedException"}:
        return uninitialised()
    if names & _ABSENT:
        return absent()
    # The text may hold what was being stored; the type cannot.
    return StoreError(
        f"The keyring failed ({type(error).__name__}).", hint=_ways("Try again", WAYS_OUT), code="store_failed"
    )


def absent(message: str = "There is no keyring on this system.") -> StoreError:
    """Nothing answers where a keyring should."""
    return StoreError(message, hint=_ways("Start the desktop's keyring and try again", WAYS_OUT), code="store_absent")


def locked(message: str = "The keyring is locked.", way: str = "Unlock it and try again") -> StoreError:
    """It is there, and nobody could be asked for its password."""
    return StoreError(message, hint=_ways(way, WAYS_OUT), code="store_locked")


def dismissed() -> StoreError:
    """Somebody was asked for its password, and gave none."""
    return StoreError(
        "The keyring stays locked: its question was closed without an answer.",
        hint=_ways("Try again and answer it", WAYS_OUT),
        code="store_dismissed",
    )


def denied() -> StoreError:
    """It knows this program, and does not let it in."""
    return StoreError(
        "The keyring denies access to this program.",
        hint=_ways("Allow it in the keyring's own settings", WAYS_OUT),
        code="store_denied",
    )


def uninitialised() -> StoreError:
    """It was never set up, and nobody could be asked for a first password."""
    return StoreError(
        "The keyring cannot be opened: it has no collection to store in yet.",
        hint=_ways("Make one in the desktop's password manager", WAYS_OUT),
    )


def too_long() -> StoreError:
    """The secret is larger than an entry may be."""
    return StoreError(
        "The secret is too long for the Windows Credential Manager, which holds 2,560 bytes an entry.",
        hint=WAYS_OUT[0].upper() + WAYS_OUT[1:],
        code="store_too_small",
    )


def slow(seconds: float) -> StoreError:
    """It did not answer in time."""
    return StoreError(
        f"The keyring did not answer within {seconds:g} seconds.",
        hint=_ways("Unlock it, or look for a window in which it asks, and try again", WAYS_OUT),
        code="store_slow",
    )


def forgetful() -> StoreError:
    """It took a secret, and gives back none or another."""
    return StoreError(
        "The keyring took the key and does not give it back.",
        hint=_ways("Use another keyring", WAYS_OUT),
        code="store_forgets",
    )


def misconfigured(message: str, code: str) -> StoreError:
    """The backend that the user configured is none to keep a key in."""
    return StoreError(
        message,
        hint=_ways("Name another backend in PYTHON_KEYRING_BACKEND or keyringrc.cfg, or none", WAYS_OUT),
        code=code,
    )


def _ways(first: str, others: str) -> str:
    return f"{first}; or\n{others}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _explain_macos(error: BaseException) -> StoreError | None:
    """The keyring package's own error has the number of the Security framework's as its first argument."""
    if type(error).__module__ != _MACOS_API:
        return None
    if type(error).__name__ == "KeychainDenied":  # -128: the person cancelled
        return dismissed()
    number = error.args[0] if error.args else None
    if number in _MACOS_LOCKED:
        return locked(
            "The keychain is locked, and may not ask for its password here, as in a session over SSH.",
            "Unlock it with `security unlock-keychain` and try again",
        )
    if number in _MACOS_DENIED:
        return denied()
    return absent("There is no keychain for this session.") if number in _MACOS_ABSENT else None


def _explain_windows(error: BaseException) -> StoreError | None:
    number = getattr(error, "winerror", None)
    if number in _WINDOWS_ABSENT:
        return absent("Windows keeps no credentials for this kind of session, such as one over SSH or of a service.")
    if number in _WINDOWS_DENIED:
        return denied()
    if number in _WINDOWS_DISMISSED:
        return dismissed()
    return too_long() if number in _WINDOWS_TOO_LONG else None

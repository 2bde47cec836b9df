"""Credentials that are given for one call, by option or environment, and stored nowhere by us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import Active, ApiKey
from ollama_cli.errors import UsageError
from ollama_cli.secret import Secret

if TYPE_CHECKING:
    from ollama_cli.credentials.key_reader import KeyReader
    from ollama_cli.settings import Settings

MOST_CHARACTERS = 100_000
"""More than any private key of ours has."""

_LONGEST_SHOWN = 200  # a key without its line ends, given by mistake, tells its public half only in so many


_API_KEY, _API_KEY_FILE = "OLLAMA_API_KEY", "OLLAMA_API_KEY_FILE"
_DEVICE_KEY, _DEVICE_KEY_FILE = "OLLAMA_CLI_KEY", "OLLAMA_CLI_KEY_FILE"


def from_key_file(path: Path, reader: KeyReader) -> Active:
    """The device key in a file, as ``--key-file`` names it.

    Raises:
        UsageError: The file cannot be read or is not a usable key.
    """
    return _device_key(read_key_text(path), f"--key-file {path}", reader)


def read_key_text(path: Path, what: str = "The key file") -> str:
    """What stands in a file that should hold a key.

    Args:
        path: The file.
        what: What it is called in an error, before its name.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return within_bounds(file.read(MOST_CHARACTERS + 1), f"{what} {path}")
    except (OSError, ValueError) as error:
        if "PRIVATE KEY" in str(path):
            raise UsageError(
                "What is named as a key file is a private key itself.",
                hint="Name the file that holds it; OLLAMA_CLI_KEY takes the key.",
                code="bad_key",
            ) from error
        shown = str(path) if len(str(path)) <= _LONGEST_SHOWN else f"{str(path)[:_LONGEST_SHOWN]}…"
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"{what} {shown} cannot be read: {reason}.", code="bad_key") from error


def within_bounds(text: str, source: str) -> str:
    """A text that is short enough for a private key.

    Raises:
        UsageError: It is not.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"{source} is too large for a key.", hint="Name another one.", code="bad_key")
    return text


def named_in_environment(settings: Settings) -> str | None:
    """The variable that gives a credential, or None. A file that one names is not looked at."""
    return next(iter(all_named_in_environment(settings)), None)


def all_named_in_environment(settings: Settings) -> list[str]:
    """Every variable that gives a credential, the one that counts first. A file that one names is not looked at."""
    given = {
        _API_KEY: settings.api_key,
        _API_KEY_FILE: settings.api_key_file,
        _DEVICE_KEY: settings.device_key,
        _DEVICE_KEY_FILE: settings.device_key_file,
    }
    return [name for name, value in given.items() if value is not None]


def from_environment(settings: Settings, reader: KeyReader) -> Active | None:
    """The credential that the environment gives: an API key before a device key, each itself or in a file.

    Raises:
        UsageError: It is there and cannot be used, or is given both ways.
    """
    if settings.api_key is not None or settings.api_key_file is not None:
        text, source = _text(settings.api_key, settings.api_key_file, _API_KEY)
        return Active(ApiKey(text), source)
    if settings.device_key is not None or settings.device_key_file is not None:
        text, source = _text(settings.device_key, settings.device_key_file, _DEVICE_KEY)
        return _device_key(text.reveal(), source, reader)
    return None


def _text(value: Secret | None, file: Path | None, name: str) -> tuple[Secret, str]:
    """A credential from a variable, or from the file that its companion names; and what it comes from."""
    if file is None:
        return value or Secret(""), name
    if value is not None:
        raise UsageError(
            f"Both {name} and {name}_FILE are set, and which one is meant cannot be told.", hint="Unset one of them."
        )
    if file.name == str(file) and not _is_there(file):  # it may be the key itself, set by mistake
        raise UsageError(
            f"{name}_FILE does not name a file that is there.", hint="Write its path out, from / on.", code="bad_key"
        )
    text = read_key_text(file, f"The file that {name}_FILE names,").strip()
    if not text:
        raise UsageError(f"The file that {name}_FILE names, {file}, is empty.", code="bad_key")
    return Secret(text), f"{name}_FILE {file}"


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (OSError, ValueError):  # a text that no path can be is none that is there
        return False
    return True


def _device_key(text: str, source: str, reader: KeyReader) -> Active:
    from ollama_cli.credentials.device_key import KeyTextError

    try:
        return Active(reader.read(text, source), source)
    except KeyTextError as error:
        raise UsageError(f"{source}: {error.message}", hint=error.hint, code=error.code) from error

"""Credentials that are given for one call, by option or environment, and stored nowhere by us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import Active, ApiKey
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.credentials.key_reader import KeyReader
    from ollama_cli.settings import Settings

MOST_CHARACTERS = 100_000
"""More than any private key of ours has."""

_LONGEST_SHOWN = 200  # a key without its line ends, given by mistake, tells its public half only in so many


def from_key_file(path: Path, reader: KeyReader) -> Active:
    """The device key in a file, as ``--key-file`` names it.

    Raises:
        UsageError: The file cannot be read or is not a usable key.
    """
    return _device_key(read_key_text(path), f"--key-file {path}", reader)


def read_key_text(path: Path) -> str:
    """What stands in a file that should hold a private key.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return within_bounds(file.read(MOST_CHARACTERS + 1), f"The key file {path}")
    except (OSError, ValueError) as error:
        if "PRIVATE KEY" in str(path):
            raise UsageError(
                "What is named as a key file is a private key itself.",
                hint="Name the file that holds it; OLLAMA_CLI_KEY takes the key.",
                code="bad_key",
            ) from error
        shown = str(path) if len(str(path)) <= _LONGEST_SHOWN else f"{str(path)[:_LONGEST_SHOWN]}…"
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"The key file {shown} cannot be read: {reason}.", code="bad_key") from error


def within_bounds(text: str, source: str) -> str:
    """A text that is short enough for a private key.

    Raises:
        UsageError: It is not.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"{source} is too large for a key.", hint="Name another one.", code="bad_key")
    return text


def named_in_environment(settings: Settings) -> str | None:
    """The variable that holds a credential, or None."""
    if settings.api_key is not None:
        return "OLLAMA_API_KEY"
    return "OLLAMA_CLI_KEY" if settings.device_key is not None else None


def from_environment(settings: Settings, reader: KeyReader) -> Active | None:
    """The credential that the environment holds: OLLAMA_API_KEY before OLLAMA_CLI_KEY.

    Raises:
        UsageError: It is there and cannot be used.
    """
    if settings.api_key is not None:
        return Active(ApiKey(settings.api_key), "OLLAMA_API_KEY")
    if settings.device_key is not None:
        return _device_key(settings.device_key.reveal(), "OLLAMA_CLI_KEY", reader)
    return None


def _device_key(text: str, source: str, reader: KeyReader) -> Active:
    from ollama_cli.credentials.device_key import KeyTextError

    try:
        return Active(reader.read(text, source), source)
    except KeyTextError as error:
        raise UsageError(f"{source}: {error.message}", hint=error.hint, code=error.code) from error

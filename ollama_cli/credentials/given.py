"""Credentials that are given for one call, by option or environment, and stored nowhere by us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import Active, ApiKey
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.settings import Settings


def from_key_file(path: Path) -> Active:
    """The device key in a file, as ``--key-file`` names it.

    Raises:
        UsageError: The file cannot be read or is not a usable key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"The key file {path} cannot be read: {reason}.", code="bad_key") from error
    return _device_key(text, f"--key-file {path}")


def from_environment(settings: Settings) -> Active | None:
    """The credential that the environment holds: OLLAMA_API_KEY before OLLAMA_CLI_KEY.

    Raises:
        UsageError: It is there and cannot be used.
    """
    if settings.api_key is not None:
        return Active(ApiKey(settings.api_key), "OLLAMA_API_KEY")
    if settings.device_key is not None:
        return _device_key(settings.device_key.reveal(), "OLLAMA_CLI_KEY")
    return None


def _device_key(text: str, source: str) -> Active:
    from ollama_cli.credentials.device_key import DeviceKey, KeyTextError

    try:
        return Active(DeviceKey.from_openssh(text), source)
    except KeyTextError as error:
        raise UsageError(f"{source}: {error.message}", hint=error.hint, code=error.code) from error

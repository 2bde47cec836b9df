"""The key of an Ollama that is installed on this machine: read when somebody asks for it, and never changed."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError
from ollama_cli.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.credentials.key_reader import KeyReader


@dataclass(frozen=True)
class OllamaKey:
    """An installed Ollama's key.

    Attributes:
        path: Where it stands.
        text: The file's text; a passphrase is still on it.
        key: The key itself.
    """

    path: Path
    text: Secret
    key: DeviceKey


def read_ollama_key(user_home: Path | None, reader: KeyReader) -> OllamaKey:
    """Read the key of the Ollama that runs as this user: ``~/.ollama/id_ed25519``.

    Raises:
        UsageError: It is not there, or cannot be used.
    """
    from ollama_cli.credentials.device_key import KeyTextError
    from ollama_cli.credentials.files import read_file

    if user_home is None:
        raise UsageError("There is no home folder to look for the installed Ollama's key in.", hint="Set HOME.")
    path = ollama_key_path(user_home)
    try:
        text = read_file(path).decode("utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"No Ollama has a key here: there is no {path}.",
            hint="An Ollama that runs as a service has it in the home of its own user: sign that in with "
            "`ollama signin`.\nWithout --use-ollama-key this device gets a key of its own.",
            code="bad_key",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"The installed Ollama's key {path} cannot be read: {reason}.", code="bad_key") from error
    try:
        return OllamaKey(path, Secret(text), reader.read(text, f"the installed Ollama's key {path}"))
    except KeyTextError as error:
        message = f"The installed Ollama's key {path} cannot be used: {error.message}"
        raise UsageError(message, hint=error.hint, code=error.code) from error


def is_ollama_key(user_home: Path | None, public_key: str) -> bool:
    """Whether the Ollama that runs as this user has a key; no if that cannot be told.

    The public half stands in the file in clear, whatever is encrypted of it, and only that is looked for.
    """
    from ollama_cli.credentials.files import read_file

    if user_home is None:
        return False
    try:
        lines = read_file(ollama_key_path(user_home)).splitlines()
        content = b64decode(b"".join(line for line in lines if not line.startswith(b"-----")))
    except (OSError, ValueError):
        return False
    return b64decode(public_key.split()[1]) in content


def ollama_key_path(user_home: Path) -> Path:
    """Where an Ollama that runs as this user has its key."""
    return user_home / ".ollama" / "id_ed25519"

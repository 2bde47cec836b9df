"""The form in which a private key is stored and exported."""

from __future__ import annotations

from ollama_cli.credentials.device_key import DeviceKey, KeyTextError
from ollama_cli.secret import Secret


def kept_form(key: DeviceKey, text: Secret) -> Secret:
    """A private key in OpenSSH form: with the passphrase that it came with, else written anew, without its comment.

    Args:
        key: The key.
        text: Its PEM as it was found.
    """
    return Secret(_one_line_end(text.reveal())) if is_encrypted(text) else key.to_openssh()


def is_encrypted(text: Secret) -> bool:
    """Whether a PEM can be read with a passphrase only."""
    try:
        DeviceKey.from_openssh(text.reveal())
    except KeyTextError as error:
        return error.reason == "encrypted"
    return False


def _one_line_end(text: str) -> str:
    return "".join(f"{line.strip()}\n" for line in text.strip().splitlines())

"""Reading private keys, with the passphrase of one that is encrypted asked for where a person is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_cli.credentials.device_key import DeviceKey

TRIES = 3
"""How often a person may type a passphrase, as with ssh."""


class KeyReader:
    """Reads private keys; a passphrase is asked for once a process and key.

    Args:
        ask: Asks a person a question whose answer is not shown, and gives None where there is no answer; None where
            nobody is there to ask.
    """

    def __init__(self, ask: Callable[[str], str | None] | None = None) -> None:
        self._ask = ask
        self._opened: dict[str, DeviceKey] = {}

    def read(self, text: str, source: str) -> DeviceKey:
        """Read a private key in OpenSSH form.

        Args:
            text: The PEM.
            source: Where it comes from, for the question.

        Raises:
            KeyTextError: It is no usable key, or its passphrase could not be asked for, or was not given.
        """
        from ollama_cli.credentials.device_key import DeviceKey, KeyTextError

        if text not in self._opened:
            try:
                self._opened[text] = DeviceKey.from_openssh(text)
            except KeyTextError as error:
                if error.reason != "encrypted" or self._ask is None:
                    raise
                self._opened[text] = self._unlock(text, source, self._ask)
        return self._opened[text]

    def _unlock(self, text: str, source: str, ask: Callable[[str], str | None]) -> DeviceKey:
        from ollama_cli.credentials.device_key import DeviceKey, KeyTextError

        question = f"Passphrase for {source}: "
        for _ in range(TRIES):
            passphrase = ask(question)
            if not passphrase:
                break
            try:
                return DeviceKey.from_openssh(text, passphrase)
            except KeyTextError as error:
                if error.reason != "passphrase":
                    raise
            question = f"That does not open it. Passphrase for {source}: "
        raise KeyTextError(
            "passphrase", "The passphrase that opens the key was not given.", "Try again, or use another key."
        )

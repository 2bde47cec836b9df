"""The two kinds of credential that ollama.com takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ollama_cli.errors import UsageError
from ollama_cli.secret import Secret

if TYPE_CHECKING:
    from ollama_cli.credentials.device_key import DeviceKey


@dataclass(frozen=True)
class ApiKey:
    """A key from the account's settings page, sent as ``Authorization: Bearer``.

    Raises:
        UsageError: The text could not stand in a header.
    """

    secret: Secret

    def __post_init__(self) -> None:
        text = self.secret.reveal()
        if not text.isascii() or not text.isprintable() or " " in text:
            raise UsageError(
                "The API key holds characters that no key has.",
                hint="Copy it again from https://ollama.com/settings/keys; it is one word without spaces or quotes.",
                code="bad_key",
            )


Credential: TypeAlias = "DeviceKey | ApiKey"


@dataclass(frozen=True)
class Active:
    """The credential that a command uses.

    Attributes:
        credential: The key itself.
        source: Where it comes from, for a person: ``the system keyring``, ``OLLAMA_API_KEY``, ``--key-file …``.
    """

    credential: Credential
    source: str


@dataclass(frozen=True)
class StoredKey(Active):
    """A device key in a store of ours, so that it can be signed in, revoked and forgotten here.

    Attributes:
        credential: The key itself.
        signed_in: Whether it was seen on an account before; it may have been taken off since.
        shared_with_ollama: Whether it is the installed Ollama's key too, so that taking it off signs both out.
        made_at: When it was stored here, in unix seconds.
    """

    credential: DeviceKey
    signed_in: bool = False
    shared_with_ollama: bool = False
    made_at: int = 0

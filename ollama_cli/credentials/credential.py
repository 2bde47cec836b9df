"""The kinds of credential: a device key or an API key for ollama.com, and a token for a daemon's origin."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from ollama_cli.errors import UsageError
from ollama_cli.secret import Secret

if TYPE_CHECKING:
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.credentials.secret_record import SecretRecord


class ApiKey:
    """A key from the account's settings page, sent as ``Authorization: Bearer``.

    Args:
        secret: The key.

    Raises:
        UsageError: The text could not stand in a header.
    """

    __slots__ = ("secret",)

    def __init__(self, secret: Secret) -> None:
        if not _is_one_word(secret.reveal()):
            raise UsageError(
                "The API key holds characters that no key has.",
                hint="Copy it again from https://ollama.com/settings/keys; it is one word without spaces or quotes.",
                code="bad_key",
            )
        self.secret = secret

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and other.secret == self.secret

    def __hash__(self) -> int:
        return hash(self.secret)

    def header(self) -> str:
        """The whole value of an ``Authorization`` header."""
        return f"Bearer {self.secret.reveal()}"


class Token:
    """What a daemon behind an authenticating proxy is asked with.

    Args:
        authorization: The whole value of the ``Authorization`` header, with its scheme: so it is stored, too.

    Raises:
        UsageError: The text could not stand in a header.
    """

    authorization: Secret

    __slots__ = ("authorization",)

    def __init__(self, authorization: Secret) -> None:
        scheme, _, text = authorization.reveal().partition(" ")
        if scheme not in {"Bearer", "Basic"} or not _is_one_word(text):
            raise UsageError(
                "The token holds characters that no token has.",
                hint="It is one word without spaces or quotes.",
                code="bad_token",
            )
        self.authorization = authorization

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and other.authorization == self.authorization

    def __hash__(self) -> int:
        return hash(self.authorization)

    @classmethod
    def bearer(cls, word: Secret) -> Token:
        """A token that is one word.

        Raises:
            UsageError: It is not.
        """
        return cls(Secret(f"Bearer {word.reveal()}"))

    @classmethod
    def basic(cls, pair: Secret) -> Token:
        """A name and a password, as ``NAME:PASSWORD``.

        Raises:
            UsageError: It is not.
        """
        text = pair.reveal()
        if ":" not in text or not text.isprintable():
            raise UsageError(
                "What was given is no name and password.", hint="Write them as NAME:PASSWORD.", code="bad_token"
            )
        return cls(Secret(f"Basic {b64encode(text.encode()).decode()}"))

    def header(self) -> str:
        """The whole value of an ``Authorization`` header."""
        return self.authorization.reveal()


def _is_one_word(text: str) -> bool:
    """Whether a text can stand in a header as one word."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


Credential: TypeAlias = "DeviceKey | ApiKey | Token"


def is_device_key(credential: Credential) -> TypeGuard[DeviceKey]:
    """Whether a credential is a device key, which signs; the others are sent as they are."""
    return not isinstance(credential, ApiKey | Token)


class Active:
    """The credential that a command uses.

    Attributes:
        credential: The key itself.
        source: Where it comes from, for a person: ``the system keyring``, ``OLLAMA_API_KEY``, ``--key-file …``.
    """

    credential: Credential

    def __init__(self, credential: Credential, source: str) -> None:
        self.credential = credential
        self.source = source


class StoredKey(Active):
    """A device key in a store of ours, so that it can be signed in, revoked and forgotten here.

    Attributes:
        credential: The key itself.
        signed_in: Whether it was seen on an account before; it may have been taken off since.
        shared_with_ollama: Whether it is the installed Ollama's key too, so that taking it off signs both out.
        made_at: When it was stored here, in unix seconds.
        last_used_at: When it was last seen to be taken, to about a day, in unix seconds; None is never.
    """

    credential: DeviceKey

    def __init__(
        self,
        credential: DeviceKey,
        source: str,
        *,
        signed_in: bool = False,
        shared_with_ollama: bool = False,
        made_at: int = 0,
        last_used_at: int | None = None,
    ) -> None:
        super().__init__(credential, source)
        self.signed_in = signed_in
        self.shared_with_ollama = shared_with_ollama
        self.made_at = made_at
        self.last_used_at = last_used_at


class StoredSecret(Active):
    """An API key or a token in a store of ours.

    Attributes:
        credential: The key or token itself.
        record: What the list notes about it.
    """

    credential: ApiKey | Token

    def __init__(self, credential: ApiKey | Token, source: str, record: SecretRecord) -> None:
        super().__init__(credential, source)
        self.record = record

"""An ed25519 key pair that stands for this device, in the text form that OpenSSH and Ollama use.

>>> key = DeviceKey.generate()
>>> key.public_key.startswith("ssh-ed25519 AAAA")
True
>>> token = key.sign("POST,/api/me?ts=1763883600")       # the whole value of the Authorization header
"""

from __future__ import annotations

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ollama_cli.credentials.plain_key import public_line, read_plain_key
from ollama_cli.credentials.public_key import encode_public_key, fingerprint_of
from ollama_cli.errors import UsageError
from ollama_cli.secret import Secret


class KeyTextError(UsageError):
    """A text is not a private key that can be used; ``reason`` says what it is instead.

    Attributes:
        reason: ``empty``, ``encrypted``, ``passphrase`` (a wrong one), ``foreign`` (another kind of key), ``corrupt``.
    """

    default_code = "bad_key"

    def __init__(self, reason: str, message: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


LONGEST_PASSPHRASE = 1023
"""Bytes of a passphrase that cryptography encrypts with."""

_MAKE_ONE = "`ssh-keygen -t ed25519` makes one that can be used."

# What a text starts with that is a key, and none in OpenSSH's own form: what it is, and what helps.
_OTHER_FORMS = (
    (
        ("ssh-", "ecdsa-", "sk-", "-----BEGIN PUBLIC KEY", "---- BEGIN SSH2 PUBLIC KEY"),
        "a public key",
        "The private key is needed, often the file of the same name without .pub.",
    ),
    (
        ("PuTTY-User-Key-File",),
        "a key in PuTTY's form",
        "`puttygen FILE -O private-openssh-new -o NEW` writes it in OpenSSH's.",
    ),
    (("-----BEGIN RSA PRIVATE KEY",), "an RSA key", _MAKE_ONE),
    (("-----BEGIN EC PRIVATE KEY",), "an ECDSA key", _MAKE_ONE),
    (("-----BEGIN DSA PRIVATE KEY",), "a DSA key", _MAKE_ONE),
    (
        ("-----BEGIN PRIVATE KEY", "-----BEGIN ENCRYPTED PRIVATE KEY"),
        "a key in PKCS #8 form",
        "A recent `ssh-keygen -p -f FILE` rewrites an ed25519 key in OpenSSH's form.",
    ),
    (("-----BEGIN CERTIFICATE",), "a certificate", _MAKE_ONE),
)


def _refuse_other_forms(text: str) -> None:
    for starts, what, hint in _OTHER_FORMS:
        if text.startswith(starts):
            raise KeyTextError("foreign", f"This is {what}, not a private key in OpenSSH form.", hint)
    if "OPENSSH" not in text.partition("\n")[0]:
        raise KeyTextError("foreign", "This is not a private key in OpenSSH form.", _MAKE_ONE)


def _refuse_hours_of_work(text: str) -> None:
    from ollama_cli.credentials.key_rounds import MOST_ROUNDS, rounds_of

    rounds = rounds_of(text)
    if rounds > MOST_ROUNDS:
        raise KeyTextError(
            "corrupt",
            f"The key is damaged, or made to be opened in {rounds} rounds, which would take hours or years.",
            "Use another copy of it, or sign in anew.",
        )


def _loaded(text: str, passphrase: str | None) -> Ed25519PrivateKey:
    """The key in a text that begins as OpenSSH's form does.

    Raises:
        KeyTextError: There is none that can be used.
    """
    from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        private = load_ssh_private_key(text.encode(), passphrase.encode() if passphrase else None)
    except TypeError:  # a passphrase is missing, or given for a key that needs none
        if passphrase is not None:
            return _loaded(text, None)
        raise KeyTextError(
            "encrypted",
            "The key is encrypted with a passphrase.",
            "At a terminal the passphrase is asked for; `ssh-keygen -p` takes it off.",
        ) from None
    except UnsupportedAlgorithm:  # bcrypt is missing, or what it names: that may be a piece of a damaged key
        raise KeyTextError(
            "foreign",
            "The key is of another kind, encrypted with another cipher, or damaged: it cannot be read here.",
            f"{_MAKE_ONE} `ssh-keygen -p -Z aes256-ctr -f FILE` changes the cipher.",
        ) from None
    except (ValueError, InvalidTag) as error:
        if passphrase is not None:
            raise KeyTextError(
                "passphrase", "The passphrase does not open the key.", "Check it and try again."
            ) from None
        raise KeyTextError(
            "corrupt", "The key is damaged and cannot be read.", "Use another copy of it, or sign in anew."
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyTextError("foreign", "The key is of another kind than ed25519.", _MAKE_ONE)
    return private


class DeviceKey:
    """A private key that never shows itself: its ``repr`` is its fingerprint."""

    __slots__ = ("_private", "public_key")

    public_key: str
    """The public key line, ``ssh-ed25519 AAAA…``, without a comment."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_key = public_line(private.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> DeviceKey:
        """A new key from the system's source of randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_openssh(cls, text: str, passphrase: str | None = None) -> DeviceKey:
        """Read a private key in OpenSSH form.

        Args:
            text: The PEM, from ``-----BEGIN OPENSSH PRIVATE KEY-----`` on.
            passphrase: For a key that is encrypted.

        Raises:
            KeyTextError: It is empty, encrypted, of another kind, or corrupt.
        """
        stripped = text.strip()
        if not stripped:
            raise KeyTextError("empty", "The key is empty.", "Give a private key in OpenSSH form.")
        plain = read_plain_key(stripped)
        if plain is not None:
            key = cls(Ed25519PrivateKey.from_private_bytes(plain.private))
            if key.public_key == public_line(plain.public):
                return key
        _refuse_other_forms(stripped)
        _refuse_hours_of_work(stripped)
        return cls(_loaded(f"{stripped}\n", passphrase))

    def to_openssh(self, passphrase: str | None = None) -> Secret:
        """The private key as OpenSSH PEM text.

        Args:
            passphrase: Encrypts it; without one it is not encrypted.

        Raises:
            UsageError: The passphrase is too long.
        """
        from cryptography.hazmat.primitives import serialization

        encoded = passphrase.encode() if passphrase else b""
        if len(encoded) > LONGEST_PASSPHRASE:
            raise UsageError(f"The passphrase is longer than {LONGEST_PASSPHRASE} bytes.", hint="Take a shorter one.")
        encryption = serialization.BestAvailableEncryption(encoded) if encoded else serialization.NoEncryption()
        pem, openssh = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
        return Secret(self._private.private_bytes(pem, openssh, encryption).decode())

    @property
    def encoded(self) -> str:
        """The public key as it stands in URLs: unpadded base64url of the whole line."""
        return encode_public_key(self.public_key)

    @property
    def fingerprint(self) -> str:
        """What ``ssh-keygen -l`` prints for it: ``SHA256:…``."""
        return fingerprint_of(self.public_key)

    def sign(self, message: bytes | str) -> str:
        """Sign a message.

        Returns:
            The whole value of an ``Authorization`` header: the base64 of the public key, a colon, and the base64 of
            the 64-byte signature. There is no scheme word.
        """
        data = message.encode() if isinstance(message, str) else message
        signature = b64encode(self._private.sign(data)).decode()
        return f"{self.public_key.split()[1]}:{signature}"

    def __repr__(self) -> str:
        return f"DeviceKey({self.fingerprint})"

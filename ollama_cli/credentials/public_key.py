"""The public half of a device key, as text: its line, its form in URLs, its fingerprint."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

# The 51 bytes of such a key are 68 letters of base64, without padding: the kind and two lengths, the same in every key,
# take the first 25 and two bits of the next, and the 32 bytes of the key the rest.
_LINE = re.compile(r"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42}")


def encode_public_key(public_key: str) -> str:
    """A public key line as it stands in URLs: unpadded base64url of the whole line."""
    return urlsafe_b64encode(public_key.encode()).decode().rstrip("=")


def decode_public_key(encoded: str) -> str | None:
    """The public key line behind its form in URLs, or None where it is not one of an ed25519 key."""
    try:
        line = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return line if is_public_key(line) and encode_public_key(line) == encoded else None


def is_public_key(line: str) -> bool:
    """Whether a text is an ed25519 public key line, ``ssh-ed25519 AAAA…``, in its one spelling, without a comment."""
    return _LINE.fullmatch(line) is not None


def fingerprint_of(public_key: str) -> str:
    """The fingerprint that ``ssh-keygen -l`` prints: ``SHA256:`` and the unpadded base64 of the blob's digest."""
    digest = sha256(b64decode(public_key.split()[1])).digest()
    return f"SHA256:{b64encode(digest).decode().rstrip('=')}"

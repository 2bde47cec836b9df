"""The other side of a signature: what a server does with the token of a signed request."""

from __future__ import annotations

import binascii
from base64 import b64decode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_BLOB_PREFIX = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"
_SIGNATURE_BYTES = 64
_KEY_BYTES = 32


def public_key_of(token: str, message: bytes) -> str | None:
    """The public key line that signed a message, or None where the token is malformed or the signature wrong.

    Args:
        token: The whole ``Authorization`` value: the base64 of the public key, a colon, the base64 of the signature.
        message: The bytes that must have been signed.
    """
    key_text, separator, signature_text = token.partition(":")
    if not separator:
        return None
    try:
        blob = b64decode(key_text, validate=True)
        signature = b64decode(signature_text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not blob.startswith(_BLOB_PREFIX) or len(blob) != len(_BLOB_PREFIX) + _KEY_BYTES:
        return None
    if len(signature) != _SIGNATURE_BYTES:
        return None
    try:
        Ed25519PublicKey.from_public_bytes(blob[-_KEY_BYTES:]).verify(signature, message)
    except InvalidSignature:
        return None
    return f"ssh-ed25519 {key_text}"

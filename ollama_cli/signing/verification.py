"""The other side of a signature: what a server does with the token of a signed request."""

from __future__ import annotations

import binascii
from base64 import b64decode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ollama_cli.credentials.public_key import is_public_key

_SIGNATURE_BYTES = 64
_KEY_BYTES = 32


def public_key_of(token: str, message: bytes) -> str | None:
    """The public key line that signed a message, or None where the token is malformed or the signature wrong.

    Args:
        token: The whole ``Authorization`` value: the base64 of the public key, a colon, the base64 of the signature.
        message: The bytes that must have been signed.
    """
    key_text, separator, signature_text = token.partition(":")
    public_key = f"ssh-ed25519 {key_text}"
    if not separator or not is_public_key(public_key):
        return None
    try:
        signature = b64decode(signature_text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(signature) != _SIGNATURE_BYTES:
        return None
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(key_text)[-_KEY_BYTES:]).verify(signature, message)
    except InvalidSignature:
        return None
    return public_key

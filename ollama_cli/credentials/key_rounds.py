"""How much work it takes to open a private key in OpenSSH's form that is encrypted: a number in the key itself.

Nothing can end that work once it has begun, and one damaged byte makes years of a second.
"""

from __future__ import annotations

import binascii
import re

MOST_ROUNDS = 10_000
"""Some minutes of work; ``ssh-keygen`` takes 24 unless it is told otherwise."""

_TEXT = re.compile(r"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END OPENSSH PRIVATE KEY-----", re.DOTALL)
_MAGIC = b"openssh-key-v1\0"
_SIZE = 4
"""Bytes of a number."""


def rounds_of(text: str) -> int:
    """The rounds in which the passphrase is worked into a key; 0 where it has none, or where the text is no key.

    Args:
        text: The PEM.
    """
    armoured = _TEXT.search(text)
    try:
        content = binascii.a2b_base64(armoured[1].encode()) if armoured else b""
        if not content.startswith(_MAGIC):
            return 0
        _, rest = _string(content[len(_MAGIC) :])  # the cipher
        derivation, rest = _string(rest)
        options, _ = _string(rest)
        _, rounds = _string(options)  # the salt
    except ValueError:
        return 0
    return int.from_bytes(rounds[:_SIZE], "big") if derivation == b"bcrypt" else 0


def _string(content: bytes) -> tuple[bytes, bytes]:
    """A string, with its length before it, and what follows."""
    end = _SIZE + int.from_bytes(content[:_SIZE], "big")
    return content[_SIZE:end], content[end:]

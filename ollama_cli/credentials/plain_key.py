"""The commonest form of a private key, read without the library for all forms: OpenSSH's, ed25519, not encrypted.

Loading that library takes longer than all the rest of signing, at every start of a command. So a key that is, byte for
byte, what OpenSSH writes for one such key (its PROTOCOL.key describes it) is read here; whatever else a text may be is
left to the library, also to say what is wrong with it.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import NamedTuple


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


_KIND = _string(b"ssh-ed25519")
_BLOCK = 8
"""Bytes that the private part is padded to a multiple of, with 1, 2, 3 and so on."""

_TEXT = re.compile(r"-----BEGIN OPENSSH PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END OPENSSH PRIVATE KEY-----")
_FORM = re.compile(
    b"openssh-key-v1\0"
    + re.escape(_string(b"none") + _string(b"none") + _string(b""))  # no cipher, no key derivation
    + rb"\0\0\0\x01\0\0\0\x33"  # one key, whose public part has 51 bytes
    + re.escape(_KIND)
    + rb"\0\0\0\x20(?P<public>.{32})"
    + rb"(?P<length>.{4})(?P<check>.{4})(?P=check)"
    + re.escape(_KIND)
    + rb"\0\0\0\x20(?P=public)\0\0\0\x40(?P<private>.{32})(?P=public)(?P<ending>.{4,})",
    re.DOTALL,
)


class PlainKey(NamedTuple):
    """The two halves of a key, 32 bytes each; whether they belong together is not looked at."""

    private: bytes
    public: bytes


def public_line(public: bytes) -> str:
    """The public key line of the 32 bytes of a public key."""
    return f"ssh-ed25519 {b64encode(_KIND + _string(public)).decode()}"


def read_plain_key(text: str) -> PlainKey | None:
    """The key in a text that is in this very form, or None.

    Args:
        text: The PEM, without blanks around it.
    """
    armoured = _TEXT.fullmatch(text)
    try:
        found = _FORM.fullmatch(b64decode(armoured[1].replace("\n", ""), validate=True)) if armoured else None
    except binascii.Error:
        return None
    if found is None or not _ends_well(found["ending"]):
        return None
    private_part = len(found[0]) - found.end("length")
    if int.from_bytes(found["length"], "big") != private_part or private_part % _BLOCK:
        return None
    return PlainKey(found["private"], found["public"])


def _ends_well(ending: bytes) -> bool:
    """Whether a comment stands there, and then what pads it."""
    end_of_comment = 4 + int.from_bytes(ending[:4], "big")
    padding = ending[end_of_comment:]
    return end_of_comment <= len(ending) and len(padding) < _BLOCK and padding == bytes(range(1, len(padding) + 1))

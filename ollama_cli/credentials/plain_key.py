"""The commonest form of a private key, read without the library for all forms: OpenSSH's, ed25519, not encrypted.

Loading that library takes longer than all the rest of signing, at every start of a command. So a key that is, byte for
byte, what OpenSSH writes for one such key (its PROTOCOL.key describes it) is read here; whatever else a text may be is
left to the library, also to say what is wrong with it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import NamedTuple


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


_KIND = _string(b"ssh-ed25519")
_BLOCK = 8
"""Bytes that the private part is padded to a multiple of, with 1, 2, 3 and so on."""

_BEGIN, _END = "-----BEGIN OPENSSH PRIVATE KEY-----\n", "\n-----END OPENSSH PRIVATE KEY-----"
_HEAD = (
    b"openssh-key-v1\0"
    + _string(b"none") * 2  # no cipher, and no key derivation,
    + _string(b"")  # which needs no options
    + b"\0\0\0\x01\0\0\0\x33"  # one key, whose public part has 51 bytes
    + _KIND
    + b"\0\0\0\x20"
)
_HALF = 32
_NUMBER = 4
"""Bytes of a half of the key, and of a number."""


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
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        return None
    try:
        content = b64decode(text[len(_BEGIN) : -len(_END)].replace("\n", ""), validate=True)
    except ValueError:
        return None
    if not content.startswith(_HEAD):
        return None
    public, length, private_part = _cut(content[len(_HEAD) :], _HALF, _NUMBER)
    if int.from_bytes(length, "big") != len(private_part) or len(private_part) % _BLOCK:
        return None
    check = private_part[:_NUMBER]  # stands there twice, so that a wrong passphrase shows
    before, private, public_again, ending = _cut(
        private_part, 2 * _NUMBER + len(_KIND) + 2 * _NUMBER + _HALF, _HALF, _HALF
    )
    if (
        before != 2 * check + _KIND + _string(public) + b"\0\0\0\x40"
        or public_again != public
        or not _ends_well(ending)
    ):
        return None
    return PlainKey(private, public)


def _cut(content: bytes, *lengths: int) -> list[bytes]:
    """Pieces of some lengths, and what is left."""
    pieces = []
    for length in lengths:
        pieces.append(content[:length])
        content = content[length:]
    return [*pieces, content]


def _ends_well(ending: bytes) -> bool:
    """Whether a comment stands there, and then what pads it."""
    end_of_comment = _NUMBER + int.from_bytes(ending[:_NUMBER], "big")
    padding = ending[end_of_comment:]
    return end_of_comment <= len(ending) and len(padding) < _BLOCK and padding == bytes(range(1, len(padding) + 1))

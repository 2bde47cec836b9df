"""Canaries: secrets of a test's own, looked for wherever no secret may be, whole and in pieces, plain and encoded."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

PIECE = 12
"""Bytes in a row that no chance brings about, and that are too many to be shown."""

_BETWEEN_LETTERS = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x20\x7f]")


def private_half(pem: str, passphrase: str | None = None) -> bytes:
    """What is secret of a device key: the seed of its private half."""
    key = load_ssh_private_key(pem.encode(), passphrase.encode() if passphrase else None)
    assert isinstance(key, Ed25519PrivateKey)
    return key.private_bytes_raw()


def found(secrets: Mapping[str, bytes], text: bytes) -> set[str]:
    """The names of the secrets that a text holds a piece of, however it is wrapped or encoded."""
    readings = {text, _BETWEEN_LETTERS.sub(b"", text), unquote_to_bytes(text)}
    return {
        name for name, secret in secrets.items() if any(piece in text for piece in _pieces(secret) for text in readings)
    }


def found_below(secrets: Mapping[str, bytes], folder: Path) -> set[tuple[str, str]]:
    """The secrets that files below a folder hold, or are called by: name and path."""
    return {
        (name, str(path.relative_to(folder)))
        for path in folder.rglob("*")
        if path.is_file()
        for name in found(secrets, path.read_bytes() + bytes(path))
    }


def _pieces(secret: bytes) -> Iterator[bytes]:
    assert len(secret) >= PIECE
    for form in (secret, secret.hex().encode(), repr(secret)[2:-1].encode()):
        yield from _windows(form, PIECE)
    for shift in range(3):  # where it stands in a longer text decides how base64 writes it
        for encode in (b64encode, urlsafe_b64encode):
            written = encode(b"\0" * shift + secret)
            yield from _windows(written[4:-4], PIECE + 4)


def _windows(text: bytes, length: int) -> Iterator[bytes]:
    """Pieces of a text that overlap by half."""
    for start in {*range(0, max(1, len(text) - length + 1), length // 2), max(0, len(text) - length)}:
        yield text[start : start + length]

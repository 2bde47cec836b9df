"""Keys that are read without the library: only such as it reads too, and as it does."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_cli import DeviceKey
from ollama_cli.credentials.device_key import KeyTextError
from ollama_cli.credentials.plain_key import read_plain_key

PEM = DeviceKey.generate().to_openssh().reveal().strip()
DATA = base64.b64decode("".join(PEM.splitlines()[1:-1]))


def armoured(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 70] for start in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----"])


def halves(private: object) -> tuple[bytes, bytes]:
    assert isinstance(private, Ed25519PrivateKey)
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


@pytest.mark.parametrize("comment", ["", "x", "ada@box", "seven  ", "a longer comment, with — more — in it"])
def test_a_key_of_ssh_keygen_is_read_as_the_library_reads_it(comment: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], check=True)
    text = path.read_text().strip()
    assert read_plain_key(text) == halves(load_ssh_private_key(f"{text}\n".encode(), None))
    line = path.with_suffix(".pub").read_text().split()[:2]
    assert DeviceKey.from_openssh(text).public_key == " ".join(line)


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
@example(len(DATA) - 1, 1)
@example(225, 1)  # the length of the comment
def test_a_changed_byte_is_read_as_the_library_reads_it_or_not_at_all(position: int, change: int) -> None:
    changed = bytearray(DATA)
    changed[position] ^= change
    text = armoured(bytes(changed))
    try:
        expected = halves(load_ssh_private_key(f"{text}\n".encode(), None))
    except (ValueError, TypeError, UnsupportedAlgorithm, AssertionError):
        with pytest.raises(KeyTextError):
            DeviceKey.from_openssh(text)
        return
    assert DeviceKey.from_openssh(text).sign("x") == DeviceKey(Ed25519PrivateKey.from_private_bytes(expected[0])).sign(
        "x"
    )


@given(
    st.one_of(st.text(), st.binary(max_size=400).map(armoured), st.integers(0, 234).map(lambda n: armoured(DATA[:n])))
)
def test_what_is_no_key_is_left_to_the_library(text: str) -> None:
    assert read_plain_key(text) in {None, read_plain_key(PEM)}

"""How a key is named: whatever is given ends as one public key line, or as an error that shows no more than it may."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_cli.credentials.key_reference import resolve
from ollama_cli.credentials.public_key import encode_public_key, fingerprint_of, is_public_key
from ollama_cli.errors import UsageError

BLOB_START = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"
LINES = st.binary(min_size=32, max_size=32).map(lambda raw: f"ssh-ed25519 {b64encode(BLOB_START + raw).decode()}")
COMMENTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30).filter(lambda text: "-----" not in text)


def resolved(text: str) -> str | UsageError:
    try:
        return resolve(text, [])
    except UsageError as error:
        return error


@given(LINES, COMMENTS, st.sampled_from(["", " ", "\n", "\t "]))
def test_every_form_comes_back_to_the_line(line: str, comment: str, space: str) -> None:
    assert resolve(f"{space}{line} {comment}{space}", []) == line
    assert resolve(f"{space}{encode_public_key(line)}{space}", []) == line
    assert resolve(f"{space}{fingerprint_of(line)}{space}", [line]) == line


@given(LINES, LINES)
def test_a_fingerprint_names_its_own_key_or_none(line: str, other: str) -> None:
    if line == other:
        assert resolve(fingerprint_of(line), [other]) == line
    else:
        with pytest.raises(UsageError, match="SHA256:"):
            resolve(fingerprint_of(line), [other])


@given(LINES, st.data())
def test_a_form_that_lost_a_character_names_nothing(line: str, data: st.DataObject) -> None:
    for form in (line, encode_public_key(line), fingerprint_of(line)):
        position = data.draw(st.integers(0, len(form) - 1))
        with pytest.raises(UsageError):
            resolve(form[:position] + form[position + 1 :], [line])


@given(st.text() | st.text("ABCabc019-_/+= :.~\x00") | st.text(max_size=40).map(lambda text: f"ssh-ed25519 {text}"))
@example("x" * 5000)
@example("a\x00b")
@example("\ud800")
@example("SHA256:" + "é" * 500)
@example(".")
def test_any_text_is_a_key_or_an_error_with_a_short_sentence(text: str) -> None:
    found = resolved(text)
    if isinstance(found, UsageError):
        assert found.hint
        assert len(found.message) < 300
    else:
        assert is_public_key(found)


@given(st.binary(max_size=300))
def test_any_file_is_a_key_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pub"
    path.write_bytes(content)
    found = resolved(str(path))
    assert str(path) in found.message if isinstance(found, UsageError) else is_public_key(found)


def test_a_text_that_may_be_a_secret_is_not_repeated() -> None:
    secret = "0123456789abcdef.0123456789abcdef"
    with pytest.raises(UsageError) as caught:
        resolve(secret, [])
    assert secret not in caught.value.message + str(caught.value.hint)
    assert not Path(secret).exists()

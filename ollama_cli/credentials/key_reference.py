"""How a person names a device key: by fingerprint, public key line, ``.pub`` file, or the form that it has in URLs."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from pathlib import Path

from ollama_cli.credentials.public_key import decode_public_key, encode_public_key, fingerprint_of, is_public_key
from ollama_cli.errors import UsageError

LONGEST_FILE = 16 * 1024
"""Bytes that a file with one public key may have, comments included."""

_FINGERPRINT = "SHA256:"
_KIND = "ssh-ed25519"
_ENCODED_START = encode_public_key(f"{_KIND} ")
_OTHER_KINDS = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")
_PRIVATE = re.compile("-----BEGIN .*PRIVATE KEY")
_SHOWN, _SHOWN_OF_PATH = 12, 200
_FORMS = (
    "A key is named by its fingerprint (SHA256:…), its public key line in quotes, a .pub file, or its encoded form; "
    "see `ollama-cli keys show`."
)


def resolve(reference: str, known: Iterable[str]) -> str:
    """The public key line that a reference names.

    Args:
        reference: A fingerprint, a public key line with or without a comment, an encoded key, or a path.
        known: The public key lines of this machine, among which a fingerprint is looked up.

    Raises:
        UsageError: It names no ed25519 public key, or is a fingerprint of none of this machine's.
    """
    text = reference.strip()
    if _PRIVATE.search(text):
        raise _private("A private key was given.")
    if text.startswith(_FINGERPRINT):
        return _by_fingerprint(text, known)
    if text.startswith(_OTHER_KINDS) and len(text.split()) > 1:
        return _from_line(text, "The public key line")
    public_key = decode_public_key(text)
    if public_key is not None:
        return public_key
    if text.startswith(_ENCODED_START):
        raise UsageError("The encoded key is damaged or cut short.", hint=_FORMS, code="bad_key")
    return _from_file(text)


def _by_fingerprint(fingerprint: str, known: Iterable[str]) -> str:
    for public_key in known:
        if fingerprint_of(public_key) == fingerprint:
            return public_key
    raise UsageError(
        f"No key of this machine has the fingerprint {_shown(fingerprint, len(_FINGERPRINT) + 43)}.",
        hint="A key cannot be told from its fingerprint alone. For a key of another device give its public key line, "
        "as `ollama-cli keys show` prints it there.",
        code="fingerprint_unknown",
    )


def _from_line(line: str, what: str) -> str:
    """The public key of a line, without its comment."""
    kind, text, *_ = line.split(maxsplit=2)
    if kind != _KIND:
        raise UsageError(
            f"{what} is of the kind {_shown(kind, 40)}; Ollama's device keys are {_KIND}.", hint=_FORMS, code="bad_key"
        )
    public_key = f"{kind} {text}"
    if not is_public_key(public_key):
        raise UsageError(f"{what} is damaged or cut short.", hint=_FORMS, code="bad_key")
    return public_key


def _from_file(path: str) -> str:
    lines = [line.strip() for line in _read(path).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if any(_PRIVATE.search(line) for line in lines):
        raise _private(f"{path} holds a private key.")
    if len(lines) != 1 or len(lines[0].split()) < 2:  # noqa: PLR2004 - the kind and the key
        raise UsageError(f"{path} is not a file with one public key line.", hint=_FORMS, code="bad_key")
    return _from_line(lines[0], f"The public key in {path}")


def _read(path: str) -> str:
    """The text of a small file; nothing that is no file, such as a pipe, is opened."""
    try:
        if not path or not Path(path).exists():
            raise _no_key(path)
        if not Path(path).is_file():
            raise _unusable(path, "it is not a file")
        with Path(path).open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
        if len(content) > LONGEST_FILE:
            raise _unusable(path, "it is too large for a public key")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable(path, "it is not text") from error
    except OSError as error:
        raise _no_key(path) if error.errno == errno.ENAMETOOLONG else _unusable(path, error.strerror) from error
    except ValueError as error:  # a path that no system has, such as one with a NUL
        raise _no_key(path) from error


def _no_key(text: str) -> UsageError:
    shown = _shown(text, _SHOWN_OF_PATH if text.endswith(".pub") else _SHOWN)
    return UsageError(f"{shown!r} is neither a key nor a file.", hint=_FORMS, code="bad_key")


def _unusable(path: str, reason: str | None) -> UsageError:
    return UsageError(f"{_shown(path, _SHOWN_OF_PATH)} cannot be used: {reason}.", hint=_FORMS, code="bad_key")


def _private(what: str) -> UsageError:
    return UsageError(what, hint="Give the public key: the .pub file beside it, or its line.", code="bad_key")


def _shown(text: str, longest: int) -> str:
    """The beginning of what was given: it may be long, and may be a secret pasted by mistake."""
    return text if len(text) <= longest else f"{text[:longest]}…"

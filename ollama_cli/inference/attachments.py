"""Images and sounds that go with a prompt: found by their names in it, or named by an option."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote

from ollama_cli.errors import UsageError

LARGEST_FILE = 100 * 1024 * 1024
"""Bytes, as in the reference."""

# A prompt may be of many megabytes without a line end: no pattern may look farther from each place than a name is long.
_URL = re.compile(r"\b(?!file:///)[A-Za-z][A-Za-z0-9+.-]{1,30}://\S*")
_BEGINNING = re.compile(
    r"\bfile:///(?=.)|(?:\b[A-Za-z]:)?(?:~?/|\.{0,2}[/\\])(?=.)"
)  # a drive; from the root, the home, here or above
_ENDING = re.compile(r"\.(?:jpe?g|png|webp|wav)\b", re.IGNORECASE)
_BREAK = re.compile(r"[^\S ]")
_FILE_URL = "file:///"  # as some terminals write a file that is dropped into them
_ESCAPED = re.compile(r"\\([ ()\[\]{}$&;'\"*?~\\])")
_LONGEST_NAME = 4096

_SIGNATURES: tuple[tuple[bytes, bytes, Literal["image", "audio"]], ...] = (
    (b"\xff\xd8\xff", b"", "image"),
    (b"\x89PNG\r\n\x1a\n", b"", "image"),
    (b"RIFF", b"WEBP", "image"),
    (b"RIFF", b"WAVE", "audio"),
)


class Attachment(NamedTuple):
    """A file that goes with a prompt.

    Attributes:
        path: Where it was read.
        kind: What it is, by its content.
        content: Its bytes.
    """

    path: Path
    kind: Literal["image", "audio"]
    content: bytes

    @property
    def encoded(self) -> str:
        """The content as a request carries it."""
        return base64.b64encode(self.content).decode()


def unescaped(name: str) -> str:
    """A name without the backslashes that a shell, or a terminal into which a file is dropped, puts before blanks."""
    return _ESCAPED.sub(r"\1", name)


def take_files(prompt: str) -> tuple[str, list[Attachment]]:
    """Take the files that a prompt names, and that there are, out of it.

    Returns:
        The prompt without their names, and the files.

    Raises:
        UsageError: One cannot be read, or is no image and no sound.
    """
    attachments = []
    for name, path in existing_files(prompt):
        attachments.append(read_attachment(path))
        for written in (f"'{path}'", f"'{name}'", name):
            prompt = prompt.replace(written, "")
    return (prompt.strip() if attachments else prompt), attachments


def existing_files(text: str) -> Iterator[tuple[str, Path]]:
    """The parts of a text that name images or sounds that there are, as they are written there, with their paths.

    A name starts at a root, a home, a drive, or with ``./`` or ``../``; blanks may be within. An address on the web
    is none.
    """
    searched = _without_addresses(text)
    found = _next_name(searched, 0)
    while found is not None:
        name, start = found
        path = _existing(name)
        if path is not None:
            yield name, path
            position = start + len(name)
        else:  # a slash in an earlier word may have begun the name
            blank = re.search(r"[\s'\"]", name)
            position = start + (blank.end() if blank else len(name))
        found = _next_name(searched, position)


def read_attachment(path: Path) -> Attachment:
    """Read an image or a sound.

    Raises:
        UsageError: It cannot be read, is neither, or is too large.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(LARGEST_FILE + 1) if size <= LARGEST_FILE else b""
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.", code="bad_file") from error
    if size > LARGEST_FILE or len(content) > LARGEST_FILE:
        raise UsageError(f"{path} is larger than 100 MB.", code="bad_file")
    for start, form, kind in _SIGNATURES:
        if content.startswith(start) and content[8:12].startswith(form):
            return Attachment(path, kind, content)
    raise UsageError(
        f"{path} is no image and no sound that models take.", hint="JPEG, PNG, WebP and WAV are.", code="bad_file"
    )


def _without_addresses(text: str) -> str:
    """A text with blank lines in the place of what belongs to an address on the web."""
    return _URL.sub(lambda url: "\n" * len(url[0]), text)


def _next_name(text: str, position: int) -> tuple[str, int] | None:
    """The next part of a text that looks like a name, and where it starts."""
    for ending in _ENDING.finditer(text, position):
        earliest = max(position, ending.end() - _LONGEST_NAME)
        before = _BREAK.split(text[earliest : ending.start()])[-1]
        beginning = _BEGINNING.search(before)
        if beginning is not None:
            start = ending.start() - len(before) + beginning.start()
            return text[start : ending.end()], start
    return None


def _existing(name: str) -> Path | None:
    for spelling in (unquote(name.removeprefix("file://")),) if name.startswith(_FILE_URL) else (name, unescaped(name)):
        if len(spelling) > _LONGEST_NAME:
            continue
        try:
            path = Path(spelling).expanduser()
            if path.is_file():
                return path
        except (OSError, ValueError, RuntimeError):  # too long a part, a null in it, no home
            continue
    return None

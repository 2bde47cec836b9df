"""The files of a store's manifests: found in whatever capitals, read up to a length, and written in one step."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from ollama_cli.api.manifest import LARGEST_MANIFEST


def spelt_as_there(folder: Path, name: str) -> Path:
    """A name in a folder: as it is given, unless only another spelling of it is there."""
    path = folder / name
    with suppress(OSError):
        if not path.exists():
            path = next((each for each in folder.iterdir() if each.name.lower() == name.lower()), path)
    return path


def read_manifest(path: Path) -> bytes:
    """A manifest's bytes; of one that is longer than any may be, just enough to see that. A pipe is not waited for."""
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    with path.open("rb") as file:
        return file.read(LARGEST_MANIFEST + 1)


def write_whole(path: Path, content: bytes, *, beside: Path) -> None:
    """Write a file that is at any moment the old one or the new one, readable for whoever may read others there."""
    temporary = beside / f".ollama-cli-{secrets.token_hex(8)}"
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink()

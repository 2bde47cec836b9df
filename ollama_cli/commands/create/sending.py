"""Files on their way to a daemon: each is named by its digest, and what the daemon has is not sent again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ollama_cli.commands.create.model_files import unreadable
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient

_PIECE = 1024 * 1024
_SECONDS_BETWEEN = 0.1


@dataclass(frozen=True)
class FileStep:
    """How far the work on a file is.

    Attributes:
        status: What is done with it.
        digest: Its digest; before that is known, its name.
        total: Its size in bytes.
        completed: How many of them are done.
    """

    status: str
    digest: str = ""
    total: int = 0
    completed: int = 0


Show = Callable[[FileStep], None]


@dataclass(frozen=True)
class HashedFile:
    """A file whose digest is known.

    Attributes:
        path: Where it is.
        name: What the daemon is told that it is called.
        digest: Such as ``sha256:…``.
        facts: What would be another if somebody wrote to it: size and time of the last change.
    """

    path: Path
    name: str
    digest: str
    facts: tuple[int, int]

    @property
    def size(self) -> int:
        """Bytes in it."""
        return self.facts[0]

    def as_json(self, *, sent: bool) -> dict[str, Any]:
        """The file as ``--json`` prints it."""
        return {"name": self.name, "digest": self.digest, "size": self.size, "sent": sent}


def hash_file(path: Path, name: str, show: Show) -> HashedFile:
    """Compute a file's digest.

    Raises:
        UsageError: It cannot be read, or changes meanwhile.
    """
    digest = hashlib.sha256()
    with _opened(path) as file:
        facts = _facts(file)
        for piece in _watched(file, facts[0], f"hashing {name}", name, show):
            digest.update(piece)
        if _facts(file) != facts:
            raise _changed(path)
    return HashedFile(path, name, f"sha256:{digest.hexdigest()}", facts)


def send_file(client: OllamaClient, file: HashedFile, show: Show) -> bool:
    """Give a daemon a file, unless it has it.

    Returns:
        Whether it was sent.

    Raises:
        UsageError: The file changed since its digest was computed, or cannot be read.
    """
    if client.has_blob(file.digest):
        show(FileStep(f"{file.name} is there already"))
        return False
    client.send_blob(file.digest, _Parts(file, show), file.size)
    return True


class _Parts:
    """What is in a file, from its start each time."""

    def __init__(self, file: HashedFile, show: Show) -> None:
        self._file = file
        self._show = show

    def __iter__(self) -> Iterator[bytes]:
        file = self._file
        with _opened(file.path) as opened:
            if _facts(opened) != file.facts:
                raise _changed(file.path)
            yield from _watched(opened, file.size, f"sending {file.name}", file.digest, self._show)


def _watched(file: IO[bytes], size: int, status: str, key: str, show: Show) -> Iterator[bytes]:
    """A file's pieces; how far it is, is shown now and then.

    Raises:
        UsageError: It ends before its size, or cannot be read.
    """
    done, next_time = 0, 0.0
    while done < size:
        if (now := time.monotonic()) >= next_time:
            show(FileStep(status, key, size, done))
            next_time = now + _SECONDS_BETWEEN
        try:
            piece = file.read(min(_PIECE, size - done))
        except OSError as error:
            raise unreadable(Path(file.name), error) from error
        if not piece:
            raise _changed(Path(file.name))
        done += len(piece)
        yield piece
    show(FileStep(status, key if size else "", size, size))


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error


def _facts(file: IO[bytes]) -> tuple[int, int]:
    told = os.fstat(file.fileno())
    return told.st_size, told.st_mtime_ns


def _changed(path: Path) -> UsageError:
    return UsageError(f"{path} changed while it was read.", hint="Try again once nobody writes to it.", code="bad_file")

"""A file in the place of stdout: at any moment the old one, or the whole new one."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from ollama_cli.errors import UsageError
from ollama_cli.terminal.ending import undisturbed
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams, cannot_write

_LONGEST_START = 200  # of the 255 bytes that a name may have


def output_file(path: Path, streams: Streams) -> AbstractContextManager[TextIO]:
    """Write to a file that takes its name only once the block has ended well.

    What a block wrote that did not end well is kept beside it, under a name that is told. A pipe or a device is
    written as it comes.

    Raises:
        UsageError: The file cannot be made.
    """
    try:
        mode = path.stat().st_mode if path.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            return path.open("w", encoding="utf-8", errors="replace", newline="")
        path = Path(os.path.realpath(path))  # a link stays one
        if mode is not None and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _cannot_make(path, error) from error
    return _whole(path, mode, streams)


@contextmanager
def _whole(path: Path, mode: int | None, streams: Streams) -> Iterator[TextIO]:
    part: Path | None = None
    try:
        with undisturbed():  # a signal comes before the file is made, or once it is known where
            file, part = _made(path, mode)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        if part is not None:
            _keep_what_came(part, path, streams)
        if isinstance(error, OSError):
            raise cannot_write(error) from error
        raise


def _made(path: Path, mode: int | None) -> tuple[TextIO, Path]:
    """An empty file beside another, with the permissions that the other has or would have.

    Raises:
        UsageError: It cannot be made.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{_start_of(path.name)}.", suffix=".part")
    except OSError as error:
        raise _cannot_make(path, error) from error
    part = Path(name)
    part.chmod(stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline=""), part


def _cannot_make(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror or error}.", code="bad_file")


def _keep_what_came(part: Path, path: Path, streams: Streams) -> None:
    with suppress(OSError):
        if part.stat().st_size == 0:
            part.unlink()
            return
        kept = part.replace(path.with_name(f"{_start_of(path.name)}.incomplete"))
        streams.say(clean_line(f"{path} is as it was; what came of the answer is in {kept}"))


def _start_of(name: str) -> str:
    """As much of a file's name as leaves room for an addition."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONGEST_START else encoded[:_LONGEST_START].decode(errors="ignore")


def _umask() -> int:
    """The mask for new files. It is read by setting one: for that moment the strictest, should a thread make a file."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

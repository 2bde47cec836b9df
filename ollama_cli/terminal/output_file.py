"""A file in the place of stdout: the old one or the whole new one, at any moment."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from ollama_cli.errors import UsageError
from ollama_cli.terminal.streams import Streams


@contextmanager
def output_file(path: Path, streams: Streams) -> Iterator[TextIO]:
    """Write to a file that takes its name only once the block has ended well.

    What a block wrote that did not end well is kept beside it, under a name that is told. A pipe or a device is
    written as it comes.

    Raises:
        UsageError: The file cannot be made.
    """
    path = Path(os.path.realpath(path))  # a link stays one
    try:
        mode = path.stat().st_mode if path.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            with path.open("w", encoding="utf-8", errors="replace", newline="") as special:
                yield special
            return
        if mode is not None and not os.access(path, os.W_OK):
            raise PermissionError(13, os.strerror(13))
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.", code="bad_file") from error
    part = Path(temporary)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
        part.replace(path)
    except BaseException:
        _keep_what_came(part, path, streams)
        raise


def _keep_what_came(part: Path, path: Path, streams: Streams) -> None:
    with suppress(OSError):
        if part.stat().st_size == 0:
            part.unlink()
            return
        kept = path.with_name(f"{path.name}.incomplete")
        shutil.move(part, kept)
        streams.say(f"{path} is as it was; what came of the answer is in {kept}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

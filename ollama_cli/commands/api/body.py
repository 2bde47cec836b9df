"""What a request sends: text from the command line, or a file or standard input of any size."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from ollama_cli.errors import UsageError

_SMALL = 1024 * 1024
_PIECE = 64 * 1024


class LargeBody:
    """A body that is not held in memory; it can be sent more than once. Its file goes with the process.

    Args:
        file: Holds it, and can be read anew.
        start: Where it begins in the file, in bytes.
    """

    def __init__(self, file: IO[bytes], start: int = 0) -> None:
        self._file = file
        self._start = start
        self.size = file.seek(0, 2) - start

    def __iter__(self) -> Iterator[bytes]:
        """Its pieces, from the start."""
        self._file.seek(self._start)
        left = self.size
        while left and (piece := self._file.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece


def read_body(name: str) -> bytes | LargeBody:
    """What stands in a file, or what is left of standard input.

    Args:
        name: The file, or ``-``.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with ExitStack() as opened:
            file = sys.stdin.buffer if name == "-" else opened.enter_context(Path(name).open("rb"))
            start = file.tell() if file.seekable() else None
            beginning = file.read(_SMALL + 1)
            if len(beginning) <= _SMALL:
                return beginning
            if start is None:
                return LargeBody(_copied(beginning, file))
            opened.pop_all()
            return LargeBody(file, start)
    except (OSError, ValueError, AttributeError) as error:  # the last two where it was closed, or is no name
        shown = "Standard input" if name == "-" else f"The file {name}"
        raise UsageError(
            f"{shown} cannot be read: {getattr(error, 'strerror', None) or 'it is closed'}.", code="bad_file"
        ) from error


def read_text(name: str) -> str:
    """The text in a file, or in standard input, without the line end at its end.

    Raises:
        UsageError: It cannot be read, or is no text.
    """
    content = read_body(name)
    try:
        text = (content if isinstance(content, bytes) else b"".join(content)).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"What {name} holds is no text in UTF-8.", code="bad_file") from error
    return text.removesuffix("\n")


def _copied(start: bytes, rest: IO[bytes]) -> IO[bytes]:
    """A pipe's content in a file without a name, for a request may have to be sent again."""
    import shutil
    import tempfile

    file = tempfile.TemporaryFile()  # noqa: SIM115 - it goes with the process
    file.write(start)
    shutil.copyfileobj(rest, file)
    return file

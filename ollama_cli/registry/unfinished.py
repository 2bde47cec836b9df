"""A blob that is being loaded: its bytes, and beside them how far each of its parts is.

Two files of the blob's name stand in the store's own folder. The first is as long as the blob from the start. The
second holds a line for the whole (size, bytes a part), and a line a part with the number of its bytes that are there;
lines have a fixed length, so that each is changed in place. A number is written after the bytes that it counts, so
whatever ends the program leaves it too low rather than too high. What a crash of the machine makes of it is seen at the
end, by the digest.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ollama_cli.api.manifest import Blob
from ollama_cli.errors import AnswerError

PARTS = 16
"""Into how many parts a blob is divided, sizes permitting, as by the reference."""

SMALLEST_PART = 100_000_000
LARGEST_PART = 1_000_000_000
READ_AT_ONCE = 1024 * 1024
_COUNT_EVERY = 1024 * 1024
_LINE = 40
_NUMBERS = re.compile(rb"([0-9]{1,19}) ([0-9]{1,19}) *\n|([0-9]{1,19}) *\n")


def part_size(size: int) -> int:
    """Bytes of a part of a blob; the last one may be shorter."""
    return min(max(-(-size // PARTS), SMALLEST_PART), LARGEST_PART)


@dataclass
class Part:
    """A part of a blob.

    Attributes:
        number: Which one, from 0 on.
        offset: Where it begins.
        size: Its bytes.
        done: How many of them are there.
    """

    number: int
    offset: int
    size: int
    done: int = 0


class Unfinished:
    """The files of a blob that is being loaded; whoever uses them holds the blob's claim.

    Args:
        folder: The store's own folder.
        blob: The blob.

    Raises:
        OSError: They cannot be read or made.
    """

    def __init__(self, folder: Path, blob: Blob) -> None:
        self._blob = blob
        self._data = folder / blob.hexadecimal
        self._counts = folder / f"{blob.hexadecimal}.parts"
        self.parts = self._found() or self._begun(part_size(blob.size))

    @property
    def done(self) -> int:
        """Bytes that are there."""
        return sum(part.done for part in self.parts)

    def _found(self) -> list[Part]:
        """The parts as an earlier command left them; none where anything about the files is not as it has to be."""
        try:
            if self._data.is_symlink() or self._data.stat().st_size != self._blob.size:
                return []
            lines = _NUMBERS.findall(self._counts.read_bytes())
        except FileNotFoundError:
            return []
        if (
            not lines
            or int(lines[0][0] or -1) != self._blob.size
            or int(lines[0][1]) < min(SMALLEST_PART, self._blob.size)
        ):
            return []
        parts = divided(self._blob.size, int(lines[0][1]))
        counted = [int(line[2] or -1) for line in lines[1:]]
        if len(counted) != len(parts) or not all(
            0 <= count <= part.size for count, part in zip(counted, parts, strict=True)
        ):
            return []
        for part, count in zip(parts, counted, strict=True):
            part.done = count
        return parts

    def _begun(self, size_of_part: int) -> list[Part]:
        self.discard()
        parts = divided(self._blob.size, size_of_part)
        with self._data.open("xb") as data:
            data.truncate(self._blob.size)
        counts = _line(f"{self._blob.size} {size_of_part}") + b"".join(_line("0") for _ in parts)
        self._counts.write_bytes(counts)
        return parts

    def begin_as_one_part(self) -> None:
        """Begin anew, with a single part: the server gives a blob from its start only."""
        self.parts = self._begun(max(self._blob.size, 1))

    def writer(self, part: Part) -> PartWriter:
        """What takes a part's bytes, from where it stopped; a context manager."""
        return PartWriter(self._data, self._counts, part)

    def finish(self, path: Path, keep_going: Callable[[], None]) -> None:
        """Check the digest of the whole, and put it where it belongs.

        Args:
            path: Where that is.
            keep_going: Called now and then; what it raises ends the work.

        Raises:
            AnswerError: It is something else than was asked for; it is thrown away.
            OSError: It cannot be read or moved.
        """
        if digest_of(self._data, keep_going) != self._blob.digest:
            self.discard()
            raise AnswerError(
                f"What came for the layer {self._blob.short} is damaged: its digest is another one.",
                hint="It was thrown away. Run it again; if that does not help, the registry or a proxy alters it.",
                code="digest_mismatch",
            )
        with self._data.open("rb+") as data:
            os.fsync(data.fileno())  # else a crash could leave a file of the right name and size without its bytes
        self._data.replace(path)
        self.discard()

    def discard(self) -> None:
        """Throw away what is there."""
        for path in (self._data, self._counts):
            with suppress(FileNotFoundError):
                path.unlink()


class PartWriter:
    """Writes a part, and its number a little after it.

    Args:
        data: The file of the bytes.
        counts: The file of the numbers.
        part: The part; ``done`` grows with what is written.
    """

    def __init__(self, data: Path, counts: Path, part: Part) -> None:
        self._part = part
        self._counted = part.done
        with ExitStack() as opened:
            self._data: BinaryIO = opened.enter_context(data.open("rb+", buffering=0))
            self._counts: BinaryIO = opened.enter_context(counts.open("rb+", buffering=0))
            self._data.seek(part.offset + part.done)
            self._opened = opened.pop_all()

    def write(self, content: bytes) -> None:
        """Write bytes; what would not belong to the part any more is left out.

        Raises:
            OSError: They cannot be written; those before them can be relied on.
        """
        part = self._part
        left = memoryview(content)[: part.size - part.done]
        while left:
            written = self._data.write(left)
            part.done += written
            left = left[written:]
        if part.done - self._counted >= _COUNT_EVERY:
            self._count()

    def begin_anew(self) -> None:
        """Forget what is there of the part: the server gives it from its start only."""
        self._part.done = 0
        self._data.seek(self._part.offset)
        self._count()

    def _count(self) -> None:
        self._counts.seek(_LINE * (self._part.number + 1))
        self._counts.write(_line(str(self._part.done)))
        self._counted = self._part.done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._opened:
            if self._part.done != self._counted:
                self._count()


def digest_of(path: Path, keep_going: Callable[[], None]) -> str:
    """The digest of a file, as a manifest has it.

    Args:
        path: The file.
        keep_going: Called now and then; what it raises ends the work.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(READ_AT_ONCE):
            digest.update(piece)
            keep_going()
    return f"sha256:{digest.hexdigest()}"


def divided(size: int, size_of_part: int) -> list[Part]:
    """The parts of a blob."""
    starts = range(0, size, size_of_part)
    return [Part(number, start, min(size_of_part, size - start)) for number, start in enumerate(starts)]


def _line(text: str) -> bytes:
    return f"{text:<{_LINE - 1}}\n".encode()

"""Request bodies that are compressed, unpacked piece by piece, so that a small one cannot become a huge one unseen."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from ollama_cli.serve.refusals import RefusedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE = 256 * 1024
_LARGEST_WINDOW = 23  # 8 MB, as a power of two: what the reference allows, and zstd uses up to its level 19
_GZIP = 31


class _Unpacker(Protocol):
    """Unpacks one compressed member."""

    @property
    def eof(self) -> bool:
        """Whether the member is complete."""

    @property
    def needs_input(self) -> bool:
        """Whether there is no more to be had from what it was given."""

    @property
    def unused_data(self) -> bytes:
        """What follows the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """So many bytes of what it unpacks to, or fewer."""


class Decoder:
    """Unpacks a body of one or more members, which comes in pieces.

    Args:
        make: Makes what unpacks a member.
    """

    def __init__(self, make: Callable[[], _Unpacker]) -> None:
        self._make = make
        self._member: _Unpacker | None = None
        self._empty = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What a piece unpacks to, in pieces of bounded size.

        Raises:
            RefusedError: 400, it is not what it is said to be.
        """
        while data or (self._member is not None and not self._member.needs_input):
            member = self._member = self._member or self._make()
            try:
                yield member.decompress(data, _PIECE)
            except (zlib.error, zstd.ZstdError, EOFError) as error:
                raise _damaged() from error
            data, self._empty = b"", False
            if member.eof:
                data, self._member = member.unused_data, None

    def end(self) -> None:
        """Find out whether the body was complete.

        Raises:
            RefusedError: 400, it was not.
        """
        if self._member is not None or self._empty:
            raise _damaged()


def decoder_for(encodings: list[str]) -> Decoder | None:
    """The decoder for the values of ``Content-Encoding``; None where the body is as it is.

    Raises:
        RefusedError: 415, it is packed in a way that is not known here, or more than once.
    """
    names = [name for value in encodings for name in value.lower().replace(" ", "").split(",") if name != "identity"]
    match names:
        case [] | [""]:
            return None
        case ["zstd"]:
            return Decoder(_zstd)
        case ["gzip" | "x-gzip"]:
            return Decoder(_Gzip)
    raise RefusedError(415, "a request body can be compressed with gzip or zstd, once")


def _zstd() -> _Unpacker:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _LARGEST_WINDOW})


class _Gzip:
    """zlib's decompressor in the form of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(_GZIP)
        self._drained = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and self._drained

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        unpacked = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._drained = len(unpacked) < max_length
        return unpacked


def _damaged() -> RefusedError:
    return RefusedError(400, "failed to decompress request body")

"""Request bodies: read once, unpacked where they are compressed, and held within limits for each and for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.types import Receive, Scope

from ollama_cli.serve.decoding import decoder_for
from ollama_cli.serve.refusals import RefusedError

LARGEST_BODY = 128 * 1024 * 1024
"""Bytes that a request for a model may have, unpacked."""

LARGEST_OF_ALL = 4 * LARGEST_BODY
"""Bytes that the bodies of all requests may have which are held at one time."""

SECONDS_FOR_A_PIECE = 60.0
"""How long a client may take to send the next piece of a body."""


class ClientGoneError(Exception):
    """The client has closed its connection."""


class Shelf:
    """What the bodies that are held at one time take, together.

    Args:
        room: Bytes that they may have.
    """

    def __init__(self, room: int = LARGEST_OF_ALL) -> None:
        self._room = room

    @contextmanager
    def holding(self) -> Iterator[Held]:
        """A place for one body, for as long as it is needed."""
        held = Held(self)
        try:
            yield held
        finally:
            held.let_go()

    def take(self, size: int) -> None:
        """Count bytes in, or out where they are negative.

        Raises:
            RefusedError: 503, there is no room for them now.
        """
        if size > self._room:
            raise RefusedError(503, "too many large requests at one time", headers={"Retry-After": "1"})
        self._room -= size


class Held:
    """One body in its place."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.body = bytearray()

    def add(self, piece: bytes) -> None:
        """Put a piece at its end.

        Raises:
            RefusedError: 413 or 503, it is too large.
        """
        if len(self.body) + len(piece) > LARGEST_BODY:
            raise _too_large()
        self._shelf.take(len(piece))
        self.body += piece

    def let_go(self) -> None:
        """Forget the body: it has been sent."""
        self._shelf.take(-len(self.body))
        self.body = bytearray()


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body of a request as it comes.

    Raises:
        ClientGoneError: The client left before its end.
        RefusedError: 408, the client says nothing more.
    """
    more = True
    while more:
        try:
            async with asyncio.timeout(SECONDS_FOR_A_PIECE):
                message = await receive()
        except TimeoutError:
            raise RefusedError(
                408, "the request body did not arrive in time", headers={"Connection": "close"}
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        if message.get("body"):
            yield message["body"]
        more = message.get("more_body", False)


async def read(scope: Scope, receive: Receive, held: Held) -> None:
    """Read a whole body into its place, unpacked.

    Raises:
        RefusedError: It is too large, damaged, packed in an unknown way, or does not come.
        ClientGoneError: The client left before its end.
    """
    decoder = decoder_for([value.decode("latin-1") for name, value in scope["headers"] if name == b"content-encoding"])
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if int(length) > LARGEST_BODY:  # the server has seen to it that it is a number
        raise _too_large()
    async for piece in pieces(receive):
        if decoder is None:
            held.add(piece)
            continue
        for unpacked in decoder.feed(piece):
            held.add(unpacked)
            await asyncio.sleep(0)  # a small piece may unpack to a hundred million bytes
    if decoder is not None:
        decoder.end()


def _too_large() -> RefusedError:
    return RefusedError(413, "http: request body too large", headers={"Connection": "close"})

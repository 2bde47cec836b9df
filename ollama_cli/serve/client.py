"""A client of the gateway: its request, what it has been answered so far, and whether it is still there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from ollama_cli.serve.bodies import pieces
from ollama_cli.serve.headers import Headers, value_of
from ollama_cli.serve.refusals import RefusedError, answer_refusal, error_content, family_of

HANG_UP = "serve.hang_up"
"""The entry of a request's scope that closes its connection, put there by the server."""

_LARGEST_UNWANTED = 1024 * 1024

STOPPING = "ollama-cli serve is being stopped"
"""What clients are told whose answer is not complete then."""


class Client:
    """One request, and its answer.

    Args:
        scope: As ASGI has it.
        receive: Likewise.
        send: Likewise.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.headers: Headers = list(scope["headers"])
        self._receive = receive
        self._send = send
        self._read = asyncio.Event()
        self._head: Message | None = None
        self._complete = False
        self._last = b"\n"

    async def receive(self) -> Message:
        """The next piece of the request's body."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._read.set()
        return message

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            ClientGoneError: The client left before its end.
            RefusedError: 408, nothing more comes.
        """
        async for piece in pieces(self.receive):
            yield piece

    async def drain(self) -> None:
        """Read a body that nobody wants.

        Raises:
            ClientGoneError: The client left before its end.
            RefusedError: It is large, or does not come.
        """
        size = 0
        async for piece in self.body():
            size += len(piece)
            if size > _LARGEST_UNWANTED:
                raise RefusedError(413, "http: request body too large", headers={"Connection": "close"})

    @property
    def status(self) -> int | None:
        """The status that it was answered with, or None."""
        return self._head["status"] if self._head else None

    async def refuse(self, refused: RefusedError) -> None:
        """Answer with an error; where an answer has begun already, break it off."""
        if self._head is None:
            await self.answer(answer_refusal(self.scope["path"], refused))
        elif not self._complete:
            self.hang_up()

    async def send(self, message: Message) -> None:
        """Answer with a head, or with a piece of a body; returns once there is room for more."""
        if message["type"] == "http.response.start":
            self._head = message
        else:
            self._last = message.get("body", b"")[-1:] or self._last
        await self._send(message)
        if message["type"] == "http.response.body":
            self._complete = not message.get("more_body", False)

    async def answer(self, response: Response) -> None:
        """Answer with all that is there."""
        await response(self.scope, self.receive, self.send)

    def hang_up(self) -> None:
        """Close the connection, after what was sent already: an answer that is not complete is then seen to be not."""
        close: Callable[[], None] = self.scope[HANG_UP]
        close()

    def heard(self) -> None:
        """Note that nobody looks at the request any more; what still comes of it is thrown away."""
        self._read.set()

    async def gone(self) -> None:
        """Return once the client has closed its connection."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def attend(self, work: Coroutine[Any, Any, None], stopping: asyncio.Future[None]) -> None:
        """Do work for the client, until that is done, the client has left, or the server stops.

        Args:
            work: Answers the request.
            stopping: Done when the server stops; the client is told.
        """
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(self.gone())
        try:
            await asyncio.wait({working, leaving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped = not working.done() and not leaving.done()
            for task in (working, leaving):
                task.cancel()
            await asyncio.wait({working, leaving})
        if stopped:
            await self._tell_of_stop()
        elif not working.cancelled():
            working.result()

    async def _tell_of_stop(self) -> None:
        path: str = self.scope["path"]
        if self._head is None:
            headers = {"Retry-After": "5", "Connection": "close"}
            await self.answer(answer_refusal(path, RefusedError(503, STOPPING, headers=headers)))
            return
        if self._complete:
            return
        told = _event_of(path, self._head["headers"])
        if told:
            line_end = b"" if self._last == b"\n" else b"\n"
            await self.send({"type": "http.response.body", "body": line_end + told, "more_body": True})
        self.hang_up()


def _event_of(path: str, headers: Headers) -> bytes:
    """An error within a stream, in the form that its readers look for; nothing where the answer is no such stream."""
    kind = value_of(headers, b"content-type").partition(b";")[0].strip().lower()
    if value_of(headers, b"content-encoding"):
        return b""
    family = family_of(path)
    text = json.dumps(error_content(family, 503, STOPPING)).encode("ascii")
    if kind == b"application/x-ndjson":
        return text + b"\n"
    if kind == b"text/event-stream":
        event = b"event: error\n" if family == "anthropic" else b""
        return b"\n" + event + b"data: " + text + b"\n\n"
    return b""

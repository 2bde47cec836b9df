"""What happens to every request before a route or a fault sees it, and to every answer: host, size, clock, record."""

from __future__ import annotations

import re
from email.utils import formatdate

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ollama_cli.sandbox.shared import Sandbox
from ollama_cli.settings.hosts import is_loopback_name

LARGEST_BODY = 128 * 1024 * 1024
"""Bytes that a request may have."""

_UPLOADS = ("/v2/", "/registry-store/")
"""Below these, what is put may be of any size: it goes to a file as it comes."""

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::[0-9]{1,5})?")


class Wire:
    """Stands before everything else.

    Args:
        app: What answers, with its faults.
        sandbox: What is shared.
    """

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as ASGI has it."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._sandbox.time_for(scope), usegmt=True)
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date.encode("ascii"))]}
            await send(message)

        refusal = _host_refusal(scope)
        streamed = scope["method"] in {"PATCH", "PUT"} and scope["path"].startswith(_UPLOADS)
        body = b"" if refusal or streamed else await _read(receive)
        if body is None:
            refusal = PlainTextResponse("The request is too large.\n", 413, {"Connection": "close"})
        if refusal:
            await refusal(scope, receive, dated)
            return
        if not scope["path"].startswith("/sandbox"):
            target = scope["raw_path"].decode("ascii") + _query(scope)
            self._sandbox.journal.note(scope["method"], target, scope["headers"], body or b"")
        await self._app(scope, receive if streamed else _replayed(body or b"", receive), dated)


def _query(scope: Scope) -> str:
    """The query with its question mark; without the ticket that is as good as a credential where blobs are kept."""
    query: bytes = scope["query_string"]
    return f"?{query.decode('ascii', 'replace')}" if query and not scope["path"].startswith("/registry-store/") else ""


def is_loopback_host(host: str) -> bool:
    """Whether a ``Host`` header names this machine: else a web page may have led a browser here under its own name."""
    parts = _HOST.fullmatch(host)
    return parts is not None and is_loopback_name(parts["name"].strip("[]"))


def _host_refusal(scope: Scope) -> Response | None:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(hosts) == 1 and is_loopback_host(hosts[0]):
        return None
    return PlainTextResponse("The sandbox answers to names of this machine only, such as 127.0.0.1.\n", 421)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None where it is too large, or the client has left."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives a body that was read already, and then whatever comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again

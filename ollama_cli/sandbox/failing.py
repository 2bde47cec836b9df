"""Shows the faults of ``faults.py`` on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ollama_cli.sandbox.faults import Fault, FaultPlan
from ollama_cli.sandbox.refusals import error_body
from ollama_cli.sandbox.shared import SKEW

HANG_UP = "sandbox.hang_up"
"""The entry of a request's scope that closes its connection, put there by the server."""

RESET = "sandbox.reset"
"""The entry that resets it."""

_OWN_PATH = "/sandbox"
_BODIES = {
    "html": "<html>\n<head><title>Bad gateway</title></head>\n<body><h1>Bad gateway</h1></body>\n</html>\n",
    "plain": "upstream is not there",
    "empty": "",
}
_MESSAGES = {
    400: "the request is not valid",
    401: "unauthorized",
    403: "this model needs a subscription",
    404: "not found",
    410: "this model is retired",
    429: "you have reached your usage limit",
    500: "internal server error",
    502: "bad gateway",
    503: "Server overloaded, please retry shortly (ref: sandbox)",
}
_NO_BODY = frozenset({204, 304})


class Failing:
    """Stands before an app, and breaks what the plan says.

    Args:
        app: What answers otherwise.
        plan: Which requests fail, and how.
    """

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as ASGI has it."""
        path: str = scope["path"]
        own = path == _OWN_PATH or path.startswith(f"{_OWN_PATH}/")
        fault = None if own else self._plan.take(scope["method"], path)
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope[SKEW] = fault.skew
        await asyncio.sleep(fault.delay)
        if fault.drop or fault.reset:
            hang_up(scope, RESET if fault.reset else HANG_UP)
        elif fault.answers:
            await _instead(fault, path)(scope, receive, send)
        else:
            await self._app(scope, receive, _Breaking(fault, scope, receive, send))


def hang_up(scope: Scope, how: str = HANG_UP) -> None:
    """Close a request's connection, after what was sent already."""
    close: Callable[[], None] = scope[how]
    close()


def _instead(fault: Fault, path: str) -> Response:
    """The answer that a fault gives in the place of the true one."""
    headers = dict(fault.headers)
    if fault.redirect is not None:
        return Response(status_code=fault.status or 307, headers={**headers, "Location": fault.redirect})
    status = fault.status or 200
    if status in _NO_BODY:
        return Response(status_code=status, headers=headers)
    if fault.body is None:
        content = json.dumps(error_body(path, status, _MESSAGES.get(status, f"status {status}")))
        return Response(content, status, headers, "application/json")
    return Response(_BODIES.get(fault.body, fault.body), status, headers, _media_type(fault.body))


def _media_type(body: str) -> str:
    if body == "html":
        return "text/html"
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return "text/plain"
    return "application/json"


class _Breaking:
    """The ``send`` of an answer that breaks after some chunks."""

    def __init__(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        self._fault = fault
        self._scope = scope
        self._receive = receive
        self._send = send
        self._events = False
        self._chunks = 0
        self._over = False

    async def __call__(self, message: Message) -> None:
        if self._over:
            return
        if message["type"] == "http.response.start":
            await self._send(self._started(message))
            await self._break_where_due()
            return
        if not message.get("body"):
            await self._send(message)
            return
        more = message.get("more_body", False)
        if self._fault.stream == "flip" and self._chunks == self._fault.after:
            message = {**message, "body": bytes([message["body"][0] ^ 1]) + message["body"][1:]}
        await self._send({**message, "more_body": True})
        self._chunks += 1
        await self._break_where_due()
        if not more and not self._over:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _started(self, message: Message) -> Message:
        """The head of the answer; how long a body that breaks will be is not known."""
        breaks = self._fault.stream not in {None, "flip"}
        headers = [pair for pair in message.get("headers", ()) if not (breaks and pair[0] == b"content-length")]
        headers += [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in self._fault.headers]
        self._events = any(
            name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers
        )
        return {**message, "headers": headers}

    async def _break_where_due(self) -> None:
        kind = self._fault.stream
        if kind in {None, "flip"} or self._chunks != self._fault.after:
            return
        if kind == "garbage":
            await self._line("<this line is no JSON>", more=True)
            return
        self._over = True
        if kind == "end":
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        elif kind == "error":
            said = error_body(self._scope["path"], 500, "the sandbox was told to fail here")
            await self._line(json.dumps(said), more=False)
        elif kind == "line":
            await self._line(self._fault.line, more=False)
        elif kind == "cut":
            hang_up(self._scope)
        else:
            while (await self._receive())["type"] != "http.disconnect":
                pass

    async def _line(self, text: str, *, more: bool) -> None:
        line = f"data: {text}\n\n" if self._events else f"{text}\n"
        await self._send({"type": "http.response.body", "body": line.encode(), "more_body": more})

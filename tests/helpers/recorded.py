"""Recorded sessions of the reference client, played again: a server that answers as the recorded one did."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from in_thread import running

SESSIONS = Path(__file__).parents[1] / "data" / "sessions"

WORK = frozenset(
    {
        "/api/generate",
        "/api/chat",
        "/api/embed",
        "/api/create",
        "/api/pull",
        "/api/push",
        "/api/copy",
        "/api/delete",
        "/api/signout",
    }
)
"""The requests that do the work; the others are each program's own way to it."""


def session(name: str) -> dict[str, Any]:
    """A recorded session."""
    content: dict[str, Any] = json.loads((SESSIONS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def names(prefix: str) -> list[str]:
    """The recorded sessions whose name starts so."""
    return sorted(path.stem for path in SESSIONS.glob(f"{prefix}*.json"))


def make_files(recorded: dict[str, Any], folder: Path) -> None:
    """Make the files that a session found in its folder."""
    for name, content in recorded.get("files", {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        encoded = content.removeprefix("base64:")
        path.write_bytes(base64.b64decode(encoded) if encoded != content else content.encode())


def work(requests: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
    """The requests that do the work, their bodies without what means nothing."""
    return [
        (request["method"], request["path"], _meaning(request.get("json")))
        for request in requests
        if request["path"] in WORK and not _is_stub(request)
    ]


def _meaning(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    named = {("model" if name == "name" else name): value for name, value in body.items()}
    return {name: value for name, value in named.items() if value not in ("", None, [], {}, False) or name == "think"}


def _is_stub(request: dict[str, Any]) -> bool:
    body = _meaning(request.get("json")) or {}
    return request["path"] == "/api/pull" and str(body.get("model", "")).endswith(("-cloud", ":cloud"))


@dataclass
class ScriptedServer:
    """A server that answers by a recorded session's routes: the first that fits.

    ``times`` limits how often one is taken; ``held``, an event, is waited for before it answers.
    """

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)


def _body_of(route: dict[str, Any]) -> tuple[bytes, str]:
    """What a route answers with, and its media type."""
    if "ndjson" in route:
        lines = [line if isinstance(line, str) else json.dumps(line) for line in route["ndjson"]]
        return "".join(f"{line}\n" for line in lines).encode(), "application/x-ndjson"
    if "json" in route:
        return json.dumps(route["json"]).encode(), "application/json; charset=utf-8"
    return route.get("text", "").encode(), "text/plain"


class Handler(BaseHTTPRequestHandler):
    """Notes each request, and answers it by the first route that fits."""

    protocol_version = "HTTP/1.1"
    server: RouteServer

    def do_GET(self) -> None:
        """Any method."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        request = {
            "method": self.command,
            "path": path,
            "query": query,
            "authorization": self.headers.get("Authorization"),
            "json": json.loads(body) if body and "json" in self.headers.get("Content-Type", "") else None,
        }
        self.server.seen.append(request)
        self._answer(self.server.route(request))

    do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 - the names that the base class calls

    def _answer(self, route: dict[str, Any]) -> None:
        if "held" in route:
            route["held"].wait()
        body, kind = _body_of(route)
        self.send_response(route.get("status", 200))
        self.send_header("Content-Type", kind)
        if "delay" in route:
            self._answer_slowly(body.splitlines(keepends=True), route["delay"])
        elif route.get("cut"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def _answer_slowly(self, lines: list[bytes], seconds: float) -> None:
        self.end_headers()
        self.close_connection = True
        with suppress(ConnectionError):  # the client may leave
            for line in lines:
                self.wfile.write(line)
                self.wfile.flush()
                time.sleep(seconds)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class RouteServer(ThreadingHTTPServer):
    """A server with routes."""

    daemon_threads = True

    def __init__(self, routes: list[dict[str, Any]], port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.seen: list[dict[str, Any]] = []
        self._routes = routes
        self._used: Counter[int] = Counter()

    def route(self, request: dict[str, Any]) -> dict[str, Any]:
        """The first route that fits, and that was not taken as often as it may be."""
        for number, route in enumerate(self._routes):
            fits = (route["method"], route["path"]) == (request["method"], request["path"])
            fits = fits and route.get("model") in {None, (request["json"] or {}).get("model")}
            if fits and self._used[number] < route.get("times", 10**6):
                self._used[number] += 1
                return route
        return {} if request["method"] == "HEAD" else {"status": 404, "json": {"error": "no such route"}}


@contextmanager
def serving(routes: list[dict[str, Any]], port: int = 0) -> Iterator[ScriptedServer]:
    """Run such a server, at any free port or at a certain one."""
    server = RouteServer(routes, port)
    with running(server):
        yield ScriptedServer(f"http://127.0.0.1:{server.server_port}", server.seen)

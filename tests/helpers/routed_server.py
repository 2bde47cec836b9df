"""A server that answers by a list of routes, such as that of a recorded session: each by the first route that fits."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from in_thread import in_thread


@dataclass
class RoutedServer:
    """Such a server, and what it was asked.

    A route names method and path, the model if it is for one, and how often it answers at most (``times``); it has the
    answer's ``status`` and one of ``ndjson``, ``json`` and ``text``, and may ``delay`` the lines or ``cut`` it short.
    ``held``, an event, is waited for before it answers.
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


class _Handler(BaseHTTPRequestHandler):
    """Notes each request, and answers it by the first route that fits."""

    protocol_version = "HTTP/1.1"
    server: _Server

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


class _Server(ThreadingHTTPServer):
    """A server with routes."""

    daemon_threads = True

    def __init__(self, routes: list[dict[str, Any]], port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
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
def routed_server(routes: list[dict[str, Any]], port: int = 0) -> Iterator[RoutedServer]:
    """Run such a server, at any free port or at a certain one."""
    server = _Server(routes, port)
    with in_thread(server):
        yield RoutedServer(f"http://127.0.0.1:{server.server_port}", server.seen)

"""A daemon behind a proxy that lets in who brings the right ``Authorization``, and answers others with a page."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from recorder import Handler, Recorder

PAGE = b"<html><body>Please log in</body></html>"


class GuardedDaemon(Recorder):
    """A recorder that asks for one value of ``Authorization``.

    Attributes:
        repeats: Whether it repeats in its error what it was sent.

    Args:
        upstream: The sandbox that answers who is let in.
        authorization: The value.
        base_path: Below which path it stands.
        redirect: Where everybody is sent to instead, or None.
    """

    def __init__(self, upstream: str, authorization: str, *, base_path: str = "", redirect: str | None = None) -> None:
        from ollama_cli import DeviceKey

        super().__init__(upstream, signs_as=DeviceKey.generate(), base_path=base_path)
        self.authorization = authorization
        self.redirect = redirect
        self.repeats = False
        self.RequestHandlerClass = _Guard


class _Guard(Handler):
    server: Any

    def check(self) -> None:
        if self.server.redirect is None and self.headers["Authorization"] == self.server.authorization:
            self.answer()
            return
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.seen.append(self.headers["Authorization"])
        body = self._repeating() if self.server.repeats else PAGE
        self.send_response(401 if self.server.redirect is None else 307)
        if self.server.redirect is not None:
            self.send_header("Location", f"{self.server.redirect}{self.path}")
        self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.send_header("Content-Type", "application/json" if self.server.repeats else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _repeating(self) -> bytes:
        """An error that tells what came along, also what a name and a password were."""
        scheme, _, word = (self.headers["Authorization"] or "").partition(" ")
        pair = b64decode(word).decode() if scheme == "Basic" else ""
        return json.dumps({"error": f"who is {scheme} {word}, {pair}?"}).encode()

    do_GET = do_HEAD = do_POST = do_DELETE = check  # noqa: N815 - the base class looks for these names

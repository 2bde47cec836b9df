"""A daemon behind a proxy that lets in who brings the right ``Authorization``, and answers others with a page."""

from __future__ import annotations

import json
from base64 import b64decode

from scripted_server import plain
from watching_proxy import Seen, WatchingProxy

from ollama_cli import DeviceKey

PAGE = b"<html><body>Please log in</body></html>"


class GuardedDaemon(WatchingProxy):
    """A watching proxy that asks for one value of ``Authorization``.

    Attributes:
        repeats: Whether it repeats in its error what it was sent.
        redirect: Where everybody is sent to instead, or None.

    Args:
        upstream: The sandbox that answers who is let in.
        authorization: The value.
    """

    def __init__(self, upstream: str, authorization: str) -> None:
        self.device = DeviceKey.generate()
        super().__init__(upstream, signs_as=self.device)
        self.authorization = authorization
        self.redirect: str | None = None
        self.repeats = False

    def refusal(self, target: str, seen: Seen) -> bytes | None:
        if self.redirect is None and seen.authorization == self.authorization:
            return None
        body, kind = (_repeating(seen.authorization or ""), "application/json") if self.repeats else (PAGE, "text/html")
        led = () if self.redirect is None else (f"Location: {self.redirect}{target}",)
        status = "401 Unauthorized" if self.redirect is None else "307 Temporary Redirect"
        answer = plain(body, status, 'WWW-Authenticate: Basic realm="here"', "Connection: close", *led, kind=kind)
        return answer.removesuffix(body) if seen.method == "HEAD" else answer


def _repeating(authorization: str) -> bytes:
    """An error that tells what came along, also what a name and a password were."""
    scheme, _, word = authorization.partition(" ")
    pair = b64decode(word).decode() if scheme == "Basic" else ""
    return json.dumps({"error": f"who is {scheme} {word}, {pair}?"}).encode()

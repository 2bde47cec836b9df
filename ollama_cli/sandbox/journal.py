"""The last requests that the sandbox was sent, for tests to look at. It holds no credential."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

MOST_ENTRIES = 500
_HIDDEN = frozenset({"cookie", "proxy-authorization", "x-api-key"})
LONGEST_BODY = 64 * 1024
"""Bytes of a body that are kept; a longer one is cut and kept as text, as is one that could not be shown as JSON."""

_DEPTH_OF_ENTRIES = 100
"""More than the calls and lists within which a body is written."""


class Journal:
    """The last requests, the oldest first."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=MOST_ENTRIES)

    def note(self, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Keep a request.

        Args:
            method: The HTTP method.
            target: Path and query, as they were sent.
            headers: As ASGI gives them.
            body: The whole body. A form's is not kept: it holds the token that proves where it came from.
        """
        shown = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        if "authorization" in shown:
            shown["authorization"] = _kind(shown["authorization"])
        shown.update(dict.fromkeys(_HIDDEN & shown.keys(), "hidden"))
        form = shown.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/"))
        self._entries.append(
            {"method": method, "target": target, "headers": shown, "body": None if form else _content(body)}
        )

    def entries(self) -> list[dict[str, Any]]:
        """The requests that are kept."""
        return list(self._entries)


def _kind(authorization: str) -> str:
    """What sort of credential a header holds, and nothing else of it."""
    return "bearer" if authorization[:7].lower() == "bearer " else "signed"


def _content(body: bytes) -> Any:
    if not body:
        return None
    if len(body) <= LONGEST_BODY:
        try:
            content = json.loads(body)
            _write(content)
        except (ValueError, RecursionError):
            pass
        else:
            return content
    return body[:LONGEST_BODY].decode("utf-8", "replace")


def _write(content: Any) -> None:
    """Find out whether something can be written as JSON again, deep within other things as the entries are.

    Raises:
        ValueError: It holds a number that is none, or half a character.
        RecursionError: It is nested too deeply.
    """
    for _ in range(_DEPTH_OF_ENTRIES):
        content = [content]
    json.dumps(content, ensure_ascii=False, allow_nan=False).encode()

"""Sessions of the reference client, recorded: what it was asked, what it asked a server, and what it was answered."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

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

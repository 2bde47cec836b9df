"""Finding a sandbox that runs already. It imports no server, so that looking costs little."""

from __future__ import annotations

import http.client
import json
import os
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

from ollama_cli.credentials.files import write_atomically
from ollama_cli.settings.hosts import is_loopback

SECONDS_TO_ANSWER = 1.0
_FILE = "server.json"
_LONGEST_ANSWER = 4096


def running(folder: Path) -> str | None:
    """The URL of the sandbox that serves a folder, or None where none does.

    A file that an earlier run left behind is not believed: whatever answers has to name the same instance.
    """
    said = _written(folder)
    if said is None:
        return None
    url, instance = said
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS_TO_ANSWER)
    try:
        with closing(connection):
            connection.request("GET", "/sandbox")
            answer = json.loads(connection.getresponse().read(_LONGEST_ANSWER))
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None
    return url if isinstance(answer, dict) and answer.get("sandbox") == instance else None


def announce_server(folder: Path, url: str, instance: str) -> None:
    """Write down where a folder's sandbox is served.

    Raises:
        StoreError: It cannot be written.
    """
    write_atomically(folder / _FILE, json.dumps({"url": url, "pid": os.getpid(), "instance": instance}))


def forget_server(folder: Path, instance: str) -> None:
    """Remove what ``announce_server`` wrote, unless another run has taken its place."""
    said = _written(folder)
    if said is not None and said[1] == instance:
        with suppress(OSError):
            (folder / _FILE).unlink()


def _written(folder: Path) -> tuple[str, str] | None:
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        url, instance = content["url"], content["instance"]
        usable = isinstance(instance, str) and urlsplit(url).scheme == "http" and is_loopback(url)
        return (url, instance) if usable and urlsplit(url).port else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None

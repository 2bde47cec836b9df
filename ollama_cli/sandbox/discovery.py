"""Finding a sandbox that runs already. It imports no server, so that looking costs little."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from ollama_cli.credentials.files import locked_file, write_atomically
from ollama_cli.errors import UsageError
from ollama_cli.settings.hosts import is_loopback

SECONDS_TO_ANSWER = 5.0
"""How long a sandbox may be busy: to take it for none would have a command sign in by itself beside it."""

SECONDS_TO_END = 3.0
_FILE, _LOCK = "server.json", "server.lock"
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


@contextmanager
def only_server(folder: Path) -> Iterator[None]:
    """Serve a folder, as the only one that does so in the foreground; one that is just ending is waited for.

    Raises:
        UsageError: Another one serves it.
        StoreError: The folder cannot be used.
    """
    if running(folder) is not None:
        raise _running_already(folder)
    with ExitStack() as held:
        try:
            held.enter_context(locked_file(folder / _LOCK, seconds=SECONDS_TO_END))
        except TimeoutError:
            raise _running_already(folder) from None
        yield


def _running_already(folder: Path) -> UsageError:
    url = running(folder)  # it may have said so only now
    return UsageError(
        f"A sandbox with this account is running{f' at {url}' if url else ''} already.",
        hint="Use that one, end it, or give this one a folder of its own with OLLAMA_CLI_HOME.",
        code="already_running",
    )


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

"""Who may ask: which ``Host`` names this server, and which pages of a browser (``Origin``) may talk to it.

A page from anywhere can have a browser send requests to 127.0.0.1, under a name of its own that it has led there. Both
headers are written by the browser, so that a page cannot forge them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ollama_cli.errors import UsageError
from ollama_cli.settings.hosts import is_loopback_name

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?")

_THIS_MACHINE = ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 - compared, not bound
_DEFAULTS = (
    *(f"{scheme}://{name}{port}" for name in _THIS_MACHINE for scheme in ("http", "https") for port in ("", ":*")),
    "app://*",
    "file://*",
    "tauri://*",
    "vscode-webview://*",
    "vscode-file://*",
)
"""The origins that the reference lets in: pages of this machine, and of programs that show pages."""


class Hosts:
    """The names that a ``Host`` may have.

    Args:
        allowed: Names that are let in besides this machine's own, as ``--allow-host`` gives them.

    Raises:
        UsageError: One of them is no name.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {_checked(name) for name in allowed}

    def allow(self, host: str) -> bool:
        """Whether a ``Host`` header names this server, in any case and with any port."""
        parts = _HOST.fullmatch(host)
        if parts is None:
            return False
        name = parts["name"].strip("[]").lower()
        return is_loopback_name(name) or name in self._allowed


class Origins:
    """The pages that may ask.

    Args:
        allowed: What OLLAMA_ORIGINS names besides the defaults; a ``*`` stands for anything, and alone for all.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        given = [pattern.strip() for pattern in allowed if pattern.strip()]
        self._all = "*" in given
        self._patterns = [_pattern(text) for text in (*given, *_DEFAULTS)]

    def allow(self, origin: str, host: str) -> bool:
        """Whether a page may ask.

        Args:
            origin: Its ``Origin``.
            host: The ``Host`` that was asked, which is one of ours: a page from there may.
        """
        if self._all or origin in {f"http://{host}", f"https://{host}"}:
            return True
        return any(pattern.fullmatch(origin) for pattern in self._patterns)


def _pattern(text: str) -> re.Pattern[str]:
    """An origin in which a ``*`` stands for anything; in the place of a port for a number only."""
    start, port = (text[:-2], r":[0-9]{1,5}") if text.endswith(":*") else (text, "")
    return re.compile(r"[^/\s]*".join(map(re.escape, start.split("*"))) + port, re.IGNORECASE)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--allow-host takes the name of a host, not {name!r}.",
            hint="Without a scheme and a port, such as --allow-host gateway.example.",
        )
    return name.strip("[]").lower()

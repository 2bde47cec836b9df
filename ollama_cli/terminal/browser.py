"""Opening a link where a person sees it, and nowhere else.

A browser is started only where its window can be expected to appear before the person, and so that it can neither hold
up the command nor touch its terminal: in a session of its own, without our streams.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

_TEXT_BROWSERS = frozenset(
    {"browsh", "carbonyl", "cha", "edbrowse", "elinks", "links", "links2", "lynx", "netrik", "w3m", "www-browser"}
)
_WINDOWS = [["rundll32.exe", "url.dll,FileProtocolHandler"]]  # takes a link whole; explorer.exe stops at a comma
_WSL = [["wslview"], *_WINDOWS]
_MACOS = [["open"]]
_DESKTOP = [["xdg-open"], ["x-www-browser"]]


def open_in_browser(url: str) -> bool:
    """Open a link in the person's browser, without waiting for it.

    Returns:
        Whether there is a browser to open it with, and it could be started; not, whether a window appeared.
    """
    command = browser_command(url, os.environ, sys.platform, platform.release(), shutil.which)
    if command is None:
        return False
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell: the link is one argument
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # it has no terminal to take over, and our Ctrl-C does not end it
        )
    except (OSError, ValueError):
        return False
    threading.Thread(target=process.wait, daemon=True, name="browser").start()
    return True


def browser_command(
    url: str, environ: Mapping[str, str], system: str, release: str, find: Callable[[str], str | None]
) -> list[str] | None:
    """The command that opens a link before the person, or None where none can.

    BROWSER is the person's own word and counts everywhere. Without it: over SSH only a display that SSH forwards, for
    any other stands elsewhere; Windows's browser from within WSL; else the desktop's.

    Args:
        url: The link.
        environ: The environment.
        system: As ``sys.platform``.
        release: The kernel's release; WSL's says that it is Microsoft's.
        find: Finds a program, as ``shutil.which`` does.
    """
    if environ.get("BROWSER"):
        candidates = [_words(entry) for entry in environ["BROWSER"].split(os.pathsep)]
    elif _over_ssh(environ):
        candidates = _DESKTOP if system == "linux" and _forwarded(environ.get("DISPLAY", "")) else []
    elif system == "darwin":
        candidates = _MACOS
    elif system == "win32":
        candidates = _WINDOWS
    else:
        on_screen = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
        candidates = [*(_WSL if "microsoft" in release.lower() else []), *(_DESKTOP if on_screen else [])]
    for words in candidates:
        program = find(words[0]) if words else None
        if program is not None and not _takes_the_terminal(program):
            return [program, *_with_link(words[1:], url)]
    return None


def _words(entry: str) -> list[str]:
    """A part of BROWSER: a program, perhaps with arguments and a ``%s`` for the link."""
    try:
        return [word for word in shlex.split(entry) if word != "&"]
    except ValueError:
        return []


def _with_link(arguments: list[str], url: str) -> list[str]:
    if any("%s" in argument for argument in arguments):
        return [argument.replace("%s", url) for argument in arguments]
    return [*arguments, url]


def _takes_the_terminal(program: str) -> bool:
    """Whether a program shows pages in a terminal; a name such as ``www-browser`` may stand for one."""
    return not _TEXT_BROWSERS.isdisjoint({Path(program).name, Path(program).resolve().name})


def _over_ssh(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def _forwarded(display: str) -> bool:
    """Whether an X display is one that SSH forwards: it names a host, as ``localhost:10.0`` does, and no socket."""
    host, colon, _ = display.partition(":")
    return bool(colon) and host not in {"", "unix"}

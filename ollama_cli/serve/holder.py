"""Who holds a port, where the system tells: on Linux, in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ollama_cli.terminal.sanitize import clean_line

_PROC = Path("/proc")
_LISTENING = "0A"


def who_holds(host: str, port: int, proc: Path = _PROC) -> str:
    """The program that listens at a port, in words; nothing where the system does not say.

    Args:
        host: The address, of which only the kind counts: a port is mostly held for all of them.
        port: The port.
        proc: Where the system tells.
    """
    tables = ("tcp6", "tcp") if ":" in host else ("tcp", "tcp6")
    held = [entry for table in tables for entry in _listening(proc / "net" / table, port)]
    for _, inode in held:
        pid = _process_with(proc, inode)
        if pid:
            return f"{_name_of(proc, pid)} (process {pid})"
    return f"a program of the user {_user(held[0][0])}" if held else ""


def _listening(table: Path, port: int) -> Iterator[tuple[int, str]]:
    """The user and the inode of each socket that listens at a port."""
    with suppress(OSError):
        for line in table.read_text(encoding="ascii", errors="replace").splitlines()[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == _LISTENING and words[1].endswith(f":{port:04X}"):  # noqa: PLR2004
                yield int(words[7]), words[9]


def _process_with(proc: Path, inode: str) -> int | None:
    for folder in proc.iterdir():
        if not folder.name.isdecimal():
            continue
        with suppress(OSError):  # it has ended, or is somebody else's
            for descriptor in (folder / "fd").iterdir():
                with suppress(OSError):
                    if os.readlink(descriptor) == f"socket:[{inode}]":  # noqa: PTH115 - it leads to no path
                        return int(folder.name)
    return None


def _name_of(proc: Path, pid: int) -> str:
    with suppress(OSError):
        name = clean_line((proc / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip())
        if name:
            return name
    return "a program"


def _user(number: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)

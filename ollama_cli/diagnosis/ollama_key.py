"""The key of an Ollama that is installed for this user. It is read, and never changed or used."""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import TYPE_CHECKING

from ollama_cli.diagnosis.finding import Finding, not_needed, ok, remark
from ollama_cli.diagnosis.keys import wants_passphrase
from ollama_cli.diagnosis.side_by_side import Family
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ollama_cli.diagnosis.side_by_side import Report


def ollama_key(user_home: Path | None) -> Family:
    """The check of an installed Ollama's key."""
    return Family(("ollama_key",), partial(_look, user_home))


def _look(user_home: Path | None, report: Report) -> None:
    from ollama_cli.credentials.key_reader import KeyReader
    from ollama_cli.credentials.ollama_key import ollama_key_path, read_ollama_key

    if user_home is None:
        report(not_needed("ollama_key", "No home folder is looked into."))
        return
    path = ollama_key_path(user_home)
    try:
        found = path.stat()
    except FileNotFoundError:
        report(not_needed("ollama_key", f"There is no {path}."))
        return
    except OSError:
        found = None  # what is wrong with it is told below
    try:
        key = read_ollama_key(user_home, KeyReader()).key
    except UsageError as error:
        if not wants_passphrase(error):
            raise
        hint = f"Ollama itself cannot use it so. To take it off: ssh-keygen -p -f {path}"
        report(remark("ollama_key", f"{path} has a passphrase.", hint))
        return
    report(_judged(path, found, key.fingerprint))


def _judged(path: Path, found: os.stat_result | None, fingerprint: str) -> Finding:
    which = f"{fingerprint}, in {path}"
    if found is not None and hasattr(os, "geteuid"):
        if found.st_uid != os.geteuid():
            hint = f"An Ollama that runs as you may not be able to use it. To make it yours: chown $USER {path}"
            return remark("ollama_key", f"{which}, belongs to another user.", hint)
        if stat.S_IMODE(found.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            return remark("ollama_key", f"{which}, can be read by others.", f"To end that: chmod 600 {path}")
    return ok("ollama_key", f"{which}.")

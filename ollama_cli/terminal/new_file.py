"""A file that appears whole under its name, and takes the place of no other unasked."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ollama_cli.errors import UsageError
from ollama_cli.terminal.ending import undisturbed
from ollama_cli.terminal.streams import cannot_write

_LONGEST_SHOWN = 200


def check_target(path: Path, *, replace: bool) -> Path:
    """Where a file of this name is written: a link is followed.

    Raises:
        UsageError: Something stands there that may not be replaced, or the path cannot be used.
    """
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(
                f"{_shown(path)} is not a file that could be written.", hint="Name a file.", code="bad_file"
            )
        if os.path.lexists(path) and not replace:
            raise _exists(path)
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as error:
        raise _cannot_make(path, error) from error


def write_file(path: Path, text: str, *, mode: int, replace: bool) -> None:
    """Write a file whole; nothing of it is left anywhere where that fails.

    Args:
        path: Its name.
        text: What it holds.
        mode: Its permissions once it is written; before, only its owner can read it.
        replace: Whether it may take the place of another.

    Raises:
        UsageError: It cannot be made, or is there already.
        CliError: It cannot be written, as on a full disk.
    """
    target, part = check_target(path, replace=replace), None
    try:
        with undisturbed():  # a signal comes before the file is made, or once it is known where
            descriptor, part = _made(path, target.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(mode)
        if replace:
            part.replace(target)
        else:
            _give_new_name(part, target)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise cannot_write(error) from error
    finally:
        if part is not None:
            with suppress(OSError):
                part.unlink()


def _made(path: Path, folder: Path) -> tuple[int, Path]:
    try:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")  # mkstemp makes it 0600
    except OSError as error:
        raise _cannot_make(path, error) from error
    return descriptor, Path(name)


def _give_new_name(part: Path, target: Path) -> None:
    """Give a file a name that none has yet.

    Raises:
        FileExistsError: Meanwhile one has it.
    """
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        part.replace(target)


def _shown(path: Path) -> str:
    """The beginning of a name: a private key, given by mistake, tells only its public half in so many letters."""
    return str(path) if len(str(path)) <= _LONGEST_SHOWN else f"{str(path)[:_LONGEST_SHOWN]}…"


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"{_shown(path)} is there already, and is not overwritten.",
        hint="Name another file, or add --force.",
        code="bad_file",
    )


def _cannot_make(path: Path, error: OSError | ValueError) -> UsageError:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return UsageError(f"{_shown(path)} cannot be written: {reason}.", code="bad_file")

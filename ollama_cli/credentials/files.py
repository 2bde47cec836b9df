"""Files that hold something of ours: written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ollama_cli.errors import StoreError

OWNER_ONLY_FOLDER, OWNER_ONLY_FILE = 0o700, 0o600
"""What permissions are set to; that they are made with is not enough, for a umask takes from it."""


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter, with its parents.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another process has just made it
                folder.mkdir(mode=OWNER_ONLY_FOLDER)
                folder.chmod(OWNER_ONLY_FOLDER)
        path.mkdir(exist_ok=True)  # says so where a file stands in its place
    except OSError as error:
        raise _cannot_write(path, error) from error
    return path


def private_file(path: Path) -> None:
    """Have a file that its owner alone can read and write; an empty one is made if need be, in a folder that is there.

    Raises:
        OSError: It cannot be made, or written to.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY_FILE)
    try:
        if os.name == "posix" and stat.S_IMODE(os.fstat(descriptor).st_mode) != OWNER_ONLY_FILE:
            os.fchmod(descriptor, OWNER_ONLY_FILE)
    finally:
        os.close(descriptor)


def refuse_unsafe(path: Path) -> None:
    """Refuse a folder or file in which others could put a key of theirs in the place of ours.

    Raises:
        StoreError: It belongs to another user, or others can write to it.
    """
    if not hasattr(os, "geteuid"):
        return
    try:
        found = path.stat()
    except OSError:  # it is not there, or whoever uses it says why it cannot be
        return
    if found.st_uid not in {os.geteuid(), 0}:
        raise StoreError(
            f"{path} belongs to another user, who could change the keys in it.",
            hint="Name another folder with OLLAMA_CLI_HOME, or have the owner changed.",
            code="store_unsafe",
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreError(
            f"{path} can be changed by other users of this machine.",
            hint=f"If nobody else put anything there: chmod go-w {path}",
            code="store_unsafe",
        )


def read_file(path: Path) -> bytes:
    """What a file holds. A pipe or a device in its place, which might never end, is not read.

    Raises:
        OSError: It cannot be read, or is no file.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder says by itself what it is
        raise OSError(errno.EINVAL, "it is not a file")
    return path.read_bytes()


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a file that is at any moment the old one or the new one, with mode 0600.

    Args:
        path: The file.
        text: What it is to hold.
        durable: Whether to wait until the disk has it; what is only remembered need not outlive a power cut.

    Raises:
        StoreError: It cannot be written, as on a full or read-only disk; the old one still stands.
    """
    import tempfile  # most commands only read

    private_folder(path.parent)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(temporary).chmod(OWNER_ONLY_FILE)
        Path(temporary).replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            Path(temporary).unlink()


@contextmanager
def locked_file(path: Path, *, seconds: float = -1) -> Iterator[None]:
    """Keep out other processes that lock the same file, which is made if need be, while the block runs.

    Args:
        path: The file; nothing stands in it.
        seconds: How long to wait for another process; below zero is as long as it takes.

    Raises:
        TimeoutError: Another process held it for so long.
        StoreError: It cannot be made.
    """
    from filelock import FileLock

    lock = FileLock(private_folder(path.parent) / path.name, mode=OWNER_ONLY_FILE)
    try:
        lock.acquire(timeout=seconds)
    except TimeoutError:
        raise
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


def remove_leftovers(path: Path) -> None:
    """Remove what ``write_atomically`` leaves beside a file when it is killed. Nobody else may be writing the file.

    Raises:
        OSError: Something of it cannot be removed.
    """
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror or error}.",
        hint="Free some space, mend the folder's permissions, or name another folder with OLLAMA_CLI_HOME.",
    )

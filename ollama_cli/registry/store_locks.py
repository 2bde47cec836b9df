"""The locks of a store of models: what keeps two commands of ours apart. A daemon knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_cli.errors import CliError, ModelStoreError

if TYPE_CHECKING:
    from filelock import BaseFileLock

_SECONDS_FOR_STORE = 60.0


class StoreLocks:
    """The locks of one store.

    Args:
        folder: Where their files stand.
        root: The store, for an error.
        explained: Turns what the system says about files into our error.
    """

    def __init__(self, folder: Path, root: Path, explained: Callable[[], AbstractContextManager[None]]) -> None:
        self._folder = folder
        self._root = root
        self._explained = explained

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keep other commands of ours from changing what the store holds; for moments only.

        Raises:
            ModelStoreError: The lock cannot be had.
        """
        lock = self._taken("store", _SECONDS_FOR_STORE)
        if lock is None:
            raise ModelStoreError(
                f"The folder of models {self._root} is locked by another command.",
                hint="Wait until it has ended, or end it.",
            )
        try:
            yield
        finally:
            lock.release()

    def claim(self, name: str) -> Claim | None:
        """The right to load a blob, or None where another command has it.

        Args:
            name: The hexadecimal part of the blob's digest.

        Raises:
            ModelStoreError: A lock cannot be had.
        """
        with self.whole():
            lock = self._taken(name, 0)
        return None if lock is None else Claim(self, lock)

    def _taken(self, name: str, seconds: float) -> BaseFileLock | None:
        """A lock that was taken; None where another command keeps it for longer than some seconds.

        Raises:
            ModelStoreError: The folder does not know locks, or nothing can be written there.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._folder / f"{name}.lock", timeout=seconds, thread_local=False)
        with self._explained():
            try:
                lock.acquire()
            except Timeout:
                return None
            except NotImplementedError as error:
                raise ModelStoreError(
                    f"The folder of models {self._root} is on a disk that knows no locks.",
                    hint="Name a folder on another one with OLLAMA_MODELS.",
                ) from error
        return lock


class Claim:
    """The right to load a blob, until it is released, or the process ends.

    Args:
        locks: The store's locks.
        lock: The blob's.
    """

    def __init__(self, locks: StoreLocks, lock: BaseFileLock) -> None:
        self._locks = locks
        self._lock = lock

    @property
    def released(self) -> bool:
        """Whether others may have it."""
        return not self._lock.is_locked

    def release(self) -> None:
        """Let others have it."""
        if self.released:
            return
        with suppress(CliError), self._locks.whole():  # else another could take the file that goes away here
            with suppress(OSError):
                Path(self._lock.lock_file).unlink()
            self._lock.release()
        self._lock.release(force=True)

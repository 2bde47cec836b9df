"""The folder in which models are kept, as an Ollama daemon on this machine reads it.

``manifests/HOST/NAMESPACE/MODEL/TAG`` names the files of a model, which stand in ``blobs/sha256-…``. A daemon takes
whatever stands there for whole. So a blob appears there by being renamed, after its digest was checked, and a manifest
by being renamed, after all its blobs were seen. What is not whole yet stands in ``blobs/.ollama-cli``, on the same
disk: the reference looks into no folder there, neither for models nor for what it removes at its start.

Two of our commands at once are kept apart by locks: one for each blob that is being loaded, and one for the store as a
whole, held for moments. A daemon knows neither; what it removes meanwhile is seen just before a manifest is written.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_cli.api.manifest import Blob, Manifest
from ollama_cli.errors import AnswerError, ModelStoreError
from ollama_cli.registry.store_files import read_manifest, spelt_as_there, write_whole
from ollama_cli.registry.store_locks import Claim, StoreLocks
from ollama_cli.terminal.words import size_in_words

if TYPE_CHECKING:
    from ollama_cli.api.model_name import ModelName

_OWN = ".ollama-cli"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HINTS = {
    **dict.fromkeys(_FULL, "Free some space and run it again: it goes on where it stopped."),
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE), "Raise the limit (`ulimit -n`), or transfer less at once: --transfers."
    ),
}
_OTHER_HINT = (
    "Mend its permissions, or name another one with OLLAMA_MODELS. An Ollama server of another user has a store of its "
    "own."
)


class ModelStore:
    """Such a folder; it is made when something is written.

    Args:
        root: Where it is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs"
        self.unfinished = self.blobs / _OWN
        self._manifests = root / "manifests"
        self._locks = StoreLocks(self.unfinished, root, self.explained)

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            ModelStoreError: They cannot be made, or nothing can be written there.
        """
        with self.explained():
            self.unfinished.mkdir(parents=True, exist_ok=True)
            self._manifests.mkdir(exist_ok=True)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the system says about files into our error.

        Raises:
            ModelStoreError: Something cannot be read or written.
        """
        try:
            yield
        except OSError as error:
            raise ModelStoreError(
                f"The folder of models {self.root} cannot be used: {error.strerror or error}.",
                hint=_HINTS.get(error.errno or 0, _OTHER_HINT),
                code="disk_full" if error.errno in _FULL else None,
            ) from error

    def manifest(self, name: ModelName) -> Manifest | None:
        """The manifest of a model, or None where the store has none, or none that can be used.

        Raises:
            ModelStoreError: It cannot be read.
        """
        try:
            return Manifest.parse(self.manifest_content(name))
        except (FileNotFoundError, NotADirectoryError, AnswerError):
            return None

    def manifest_content(self, name: ModelName) -> bytes:
        """What stands in a model's manifest, as far as a manifest may go.

        Raises:
            FileNotFoundError: The store has no such model.
            ModelStoreError: It cannot be read.
        """
        try:
            return read_manifest(self._path_of(name))
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError:
            with self.explained():
                raise

    def _path_of(self, name: ModelName) -> Path:
        """Where a model's manifest stands: to a daemon a name is the same in capitals, so one that is there counts.

        Raises:
            ModelStoreError: Not below the folder: a host may look like a drive, where there are drives.
        """
        path = self._manifests
        for part in name.parts:
            path = spelt_as_there(path, part)
        if path.parent.parent.parent.parent != self._manifests:
            raise ModelStoreError(f"The name {name} cannot be that of a folder here.", hint="Leave its port out.")
        return path

    def path(self, blob: Blob) -> Path:
        """Where a blob stands once it is whole."""
        return self.blobs / f"sha256-{blob.hexadecimal}"

    def has(self, blob: Blob) -> bool:
        """Whether a blob is there, with the size that it has to have."""
        try:
            found = self.path(blob)
            return found.is_file() and found.stat().st_size == blob.size
        except OSError:
            return False

    def check_room(self, blobs: Iterable[Blob]) -> None:
        """See whether the disk has room for some blobs; what is there of them counts.

        Raises:
            ModelStoreError: It has not.
        """
        needed = sum(blob.size - self._allocated(blob) for blob in blobs)
        with self.explained():
            free = shutil.disk_usage(self.blobs).free
        if needed > free:
            raise ModelStoreError(
                f"The model needs {size_in_words(needed)} more, and {self.blobs} has room for {size_in_words(free)}.",
                hint="Free some space, or name a folder on another disk with OLLAMA_MODELS.",
                code="disk_full",
            )

    def _allocated(self, blob: Blob) -> int:
        """Bytes of a blob that is being loaded for which the disk has found room."""
        try:
            found = (self.unfinished / blob.hexadecimal).stat()
        except OSError:
            return 0
        blocks: int = getattr(found, "st_blocks", 0)
        return min(blocks * 512, blob.size)

    def claim(self, blob: Blob) -> Claim | None:
        """The right to load a blob, or None where another command has it.

        Raises:
            ModelStoreError: Whether it has cannot be told.
        """
        return self._locks.claim(blob.hexadecimal)

    def write_manifest(self, name: ModelName, manifest: Manifest) -> list[Blob] | None:
        """Make a model known, where each of its blobs is there; then remove what only the one before it named.

        Args:
            name: The model.
            manifest: Its manifest.

        Returns:
            The blobs that were removed; or None where something is missing, and nothing was written.

        Raises:
            ModelStoreError: It cannot be written.
        """
        with self._locks.whole(), self.explained():
            if not all(self.has(blob) for blob in manifest.blobs):
                return None
            replaced = self.manifest(name)  # another command may have written one since this one began
            path = self._path_of(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, manifest.content, beside=self._manifests)
            return self._remove_unused(replaced.blobs if replaced else ())

    def _remove_unused(self, blobs: Iterable[Blob]) -> list[Blob]:
        """Remove those of some blobs that no manifest names. Where one cannot be read, all stay: it may name them."""
        candidates = {blob.digest: blob for blob in blobs}
        for path in self._manifests.glob("*/*/*/*") if candidates else ():
            try:
                for blob in Manifest.parse(read_manifest(path)).blobs:
                    candidates.pop(blob.digest, None)
            except (FileNotFoundError, IsADirectoryError):  # another command or a daemon has just removed it
                continue
            except (OSError, AnswerError):
                return []
        removed = []
        for blob in candidates.values():
            with suppress(OSError):  # a daemon may be faster, or hold it open, where that keeps it
                self.path(blob).unlink()
                removed.append(blob)
        return removed

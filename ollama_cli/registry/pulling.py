"""A model from a registry into the store: manifest, blobs, digests, and only then the name under which it is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

from ollama_cli.api.manifest import LARGEST_MANIFEST, MEDIA_TYPE, Blob, Manifest
from ollama_cli.api.work_steps import WorkStep
from ollama_cli.errors import ModelStoreError
from ollama_cli.registry.crew import Crew
from ollama_cli.registry.exchange import read_some
from ollama_cli.registry.loading import Loading
from ollama_cli.registry.transfer import Transfer
from ollama_cli.registry.unfinished import digest_of

if TYPE_CHECKING:
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore

_MOST_ROUNDS = 5
_WAITED_FOR = -1  # what is told of a blob that another command loads; no number of bytes


class Pull(Transfer):
    """Loads a model."""

    def steps(self) -> Generator[WorkStep]:
        """Load it; each step is told as a daemon tells it.

        Raises:
            CliError: It cannot be had, is not what it has to be, or cannot be stored. Whatever there is of it goes on
                the next time, and no daemon sees it.
        """
        yield WorkStep("pulling manifest")
        manifest = self._retries.call(self._manifest)
        self._store.prepare()
        replaced = self._store.manifest(self._name)
        known = replaced is not None and replaced.content == manifest.content
        sure = set(manifest.blobs) if known else set()  # they were checked before that manifest was written
        for _ in range(_MOST_ROUNDS):
            missing = [blob for blob in manifest.blobs if not self._store.has(blob)]
            sure.difference_update(missing)
            sure.update((yield from self._load(manifest.blobs, missing)))
            yield WorkStep("verifying sha256 digest")
            self._remove_wrong([blob for blob in manifest.blobs if blob not in sure])
            sure.update(manifest.blobs)
            yield WorkStep("writing manifest")
            removed = self._store.write_manifest(self._name, manifest)
            if removed is not None:
                break
        else:
            raise ModelStoreError(
                f"Another program removes the layers of the model from {self._store.root} as they come.",
                hint="An Ollama server that is just starting may do so: run it again.",
            )
        if removed:
            yield WorkStep("removing unused layers")
        yield WorkStep("success")

    def _manifest(self) -> Manifest:
        path = f"v2/{self._name.repository}/manifests/{self._name.tag}"
        with self._registry.answer("GET", path, headers={"Accept": MEDIA_TYPE}, model=self._name.shortest) as response:
            return Manifest.parse(read_some(response, LARGEST_MANIFEST))

    def _load(self, blobs: Sequence[Blob], missing: list[Blob]) -> Generator[WorkStep, None, set[Blob]]:
        """Load what is missing; gives what was loaded and checked here."""
        absent = set(missing)
        for blob in blobs:
            if blob not in absent:
                yield _step(blob, blob.size)
        if not missing:
            return set()
        self._store.check_room(missing)
        path = f"v2/{self._name.repository}/blobs"
        loads = Round(missing, self._registry, self._store, path, self._transfers)
        with closing(loads), Crew(self._transfers, interrupt=self._registry.close) as crew:
            yield from loads.steps(crew)
        return absent - loads.others

    def _remove_wrong(self, blobs: list[Blob]) -> None:
        """Remove those of some blobs from the store that are not what their names say; they are then missing."""

        def check(blob: Blob) -> None:
            with self._store.explained(), suppress(FileNotFoundError):  # a daemon has just removed it
                if digest_of(self._store.path(blob), crew.check) != blob.digest:
                    self._store.path(blob).unlink()

        with Crew(self._transfers) as crew:
            for blob in blobs:
                crew.do(partial(check, blob))
            for _ in crew.looks():
                pass


class Round:
    """Some blobs that are loaded together.

    Args:
        blobs: The blobs.
        registry: Where they come from.
        store: Where they go.
        folder: The path of the blobs there.
        most: How many blobs are begun at once: each takes a file for its lock.

    Attributes:
        others: The blobs that somebody else has put there meanwhile: a daemon does so before it has checked them.
    """

    def __init__(self, blobs: list[Blob], registry: Registry, store: ModelStore, folder: str, most: int) -> None:
        self.others: set[Blob] = set()
        self._registry = registry
        self._store = store
        self._folder = folder
        self._most = most
        self._waiting = deque(blobs)
        self._own: list[Loading] = []
        self._told: dict[Blob, int] = {}

    def steps(self, crew: Crew) -> Generator[WorkStep]:
        """Load them; each step is told.

        Args:
            crew: Who loads them; it has to have ended before ``close``.

        Raises:
            CliError: One of them cannot be loaded.
        """
        for _ in crew.looks(lambda: bool(self._waiting)):
            yield from self._claim_more(crew)
            ended = [loading for loading in self._own if loading.ended]
            for loading in self._own:
                yield from self._news(loading.blob, loading.done)
            self._own = [loading for loading in self._own if loading not in ended]

    def close(self) -> None:
        """Let other commands load what was not finished."""
        for loading in self._own:
            loading.release()

    def _claim_more(self, crew: Crew) -> Iterator[WorkStep]:
        """Begin with what no other command is loading, or is loading no more."""
        for _ in range(len(self._waiting)):
            if len(self._own) >= self._most:
                return
            blob = self._waiting.popleft()
            claim = self._store.claim(blob)
            if claim is None:
                self._waiting.append(blob)
                if blob not in self._told:
                    self._told[blob] = _WAITED_FOR
                    yield WorkStep(f"waiting for {blob.short}, which another command is loading")
            elif self._store.has(blob):
                claim.release()
                self.others.add(blob)
                yield from self._news(blob, blob.size)
            else:
                path = f"{self._folder}/{blob.digest}"
                self._own.append(Loading(blob, claim, self._store, self._registry, path, crew))
                yield from self._news(blob, self._own[-1].done)
                self._own[-1].begin()

    def _news(self, blob: Blob, done: int) -> Iterator[WorkStep]:
        if self._told.get(blob) != done:
            self._told[blob] = done
            yield _step(blob, done)


def _step(blob: Blob, done: int) -> WorkStep:
    return WorkStep(f"pulling {blob.short}", blob.digest, blob.size, done)

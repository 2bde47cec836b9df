"""A model from a registry into the store: manifest, blobs, digests, and only then the name under which it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ollama_cli.api.manifest import LARGEST_MANIFEST, MEDIA_TYPE, Blob, Manifest
from ollama_cli.api.pulling import PullProgress
from ollama_cli.errors import ModelStoreError
from ollama_cli.registry.crew import Crew
from ollama_cli.registry.loading import Loading
from ollama_cli.registry.refusals import read_some
from ollama_cli.registry.unfinished import digest_of

if TYPE_CHECKING:
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore
    from ollama_cli.transport.retries import Retries

TRANSFERS = 16
"""How many parts are transferred at once, unless fewer are wanted."""

_MOST_ROUNDS = 5
Tell = Callable[[PullProgress], None]


class Pull:
    """Loads a model.

    Args:
        name: The model.
        registry: Where it comes from.
        store: Where it goes.
        tell: Told of each step, in the words in which a daemon tells it.
        retries: Tries the manifest again.
        transfers: How many parts are loaded at once.
    """

    def __init__(
        self,
        name: ModelName,
        registry: Registry,
        store: ModelStore,
        tell: Tell,
        retries: Retries,
        transfers: int = TRANSFERS,
    ) -> None:
        self._name = name
        self._registry = registry
        self._store = store
        self._tell = tell
        self._retries = retries
        self._transfers = transfers

    def run(self) -> None:
        """Load it.

        Raises:
            CliError: It cannot be had, is not what it has to be, or cannot be stored. Whatever there is of it goes on
                the next time, and no daemon sees it.
        """
        self._tell(PullProgress("pulling manifest"))
        manifest = self._retries.call(self._manifest)
        self._store.prepare()
        replaced = self._store.manifest(self._name)
        known = replaced is not None and replaced.content == manifest.content
        sure = set(manifest.blobs) if known else set()  # they were checked before that manifest was written
        for _ in range(_MOST_ROUNDS):
            missing = [blob for blob in manifest.blobs if not self._store.has(blob)]
            self._load(manifest.blobs, missing)
            sure.update(missing)
            self._tell(PullProgress("verifying sha256 digest"))
            self._remove_wrong([blob for blob in manifest.blobs if blob not in sure])
            sure.update(manifest.blobs)
            if self._write(manifest, replaced):
                return
        raise ModelStoreError(
            f"Another program removes the layers of the model from {self._store.root} as they come.",
            hint="An Ollama server that is just starting may do so: run it again.",
        )

    def _manifest(self) -> Manifest:
        path = f"v2/{self._name.repository}/manifests/{self._name.tag}"
        with self._registry.answer("GET", path, headers={"Accept": MEDIA_TYPE}, model=self._name.shortest) as response:
            return Manifest.parse(read_some(response, LARGEST_MANIFEST))

    def _write(self, manifest: Manifest, replaced: Manifest | None) -> bool:
        self._tell(PullProgress("writing manifest"))
        removed = self._store.write_manifest(self._name, manifest, replaced)
        if removed is None:
            return False
        if removed:
            self._tell(PullProgress("removing unused layers"))
        self._tell(PullProgress("success"))
        return True

    def _load(self, blobs: Sequence[Blob], missing: list[Blob]) -> None:
        """Load what is missing, and tell how far each blob is."""
        for blob in blobs:
            if blob not in missing:
                self._tell(_step(blob, blob.size))
        if not missing:
            return
        self._store.check_room(missing)
        with Crew(self._transfers, interrupt=self._registry.close) as crew:
            Round(missing, self._registry, self._store, self._name.repository, crew, self._tell).run()

    def _remove_wrong(self, blobs: list[Blob]) -> None:
        """Remove those of some blobs from the store that are not what their names say; they are then missing."""

        def check(blob: Blob) -> None:
            with self._store.explained():
                if digest_of(self._store.path(blob), crew.check) != blob.digest:
                    self._store.path(blob).unlink()

        with Crew(self._transfers) as crew:
            for blob in blobs:
                crew.do(partial(check, blob))
            crew.wait(lambda: False)


class Round:
    """Some blobs that are loaded together.

    Args:
        blobs: The blobs.
        registry: Where they come from.
        store: Where they go.
        repository: Namespace and model.
        crew: Who loads them.
        tell: Told of each step.
    """

    def __init__(
        self, blobs: list[Blob], registry: Registry, store: ModelStore, repository: str, crew: Crew, tell: Tell
    ) -> None:
        self._registry = registry
        self._store = store
        self._repository = repository
        self._crew = crew
        self._tell = tell
        self._others = list(blobs)
        self._own: list[Loading] = []
        self._told: dict[Blob, int] = {}

    def run(self) -> None:
        """Load them.

        Raises:
            CliError: One of them cannot be loaded.
        """
        try:
            self._claim_more()
            self._crew.wait(self._look)
        finally:
            for loading in self._own:
                loading.release()

    def _look(self) -> bool:
        """Tell what is new. Whether another command still loads something that we wait for."""
        for loading in self._own:
            self._show(loading.blob, loading.done)
        if self._others:
            self._claim_more()
        return bool(self._others)

    def _claim_more(self) -> None:
        waiting = []
        for blob in self._others:
            if self._told and self._store.has(blob):  # whoever loaded it has checked it
                self._show(blob, blob.size)
                continue
            claim = self._store.claim(blob)
            if claim is None:
                self._tell_of_other(blob)
                waiting.append(blob)
                continue
            path = f"v2/{self._repository}/blobs/{blob.digest}"
            self._own.append(Loading(blob, claim, self._store, self._registry, path, self._crew))
            self._show(blob, self._own[-1].done)
            self._own[-1].begin()
        self._others = waiting

    def _show(self, blob: Blob, done: int) -> None:
        if self._told.get(blob) != done:
            self._told[blob] = done
            self._tell(_step(blob, done))

    def _tell_of_other(self, blob: Blob) -> None:
        if blob not in self._told:
            self._told[blob] = -1
            self._tell(PullProgress(f"waiting for {blob.short}, which another command is loading"))


def _step(blob: Blob, done: int) -> PullProgress:
    return PullProgress(f"pulling {blob.short}", blob.digest, blob.size, done)

"""A model from the store to a registry: its blobs, where the registry has them not yet, and then its manifest."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from ollama_cli.api.manifest import Blob, Manifest
from ollama_cli.api.model_name import ModelName
from ollama_cli.api.work_steps import WorkStep
from ollama_cli.errors import AnswerError, ModelNotFoundError, ModelStoreError, UsageError
from ollama_cli.registry.crew import Crew
from ollama_cli.registry.sending import SECONDS_TO_PUT_TOGETHER, Sending
from ollama_cli.registry.transfer import Transfer

if TYPE_CHECKING:
    pass


class Push(Transfer):
    """Sends a model."""

    def steps(self) -> Generator[WorkStep]:
        """Send it; each step is told as a daemon tells it.

        Raises:
            ModelNotFoundError: The store has no such model.
            ModelStoreError: A layer of it is missing or damaged.
            CliError: The registry does not take it.
        """
        yield WorkStep("retrieving manifest")
        manifest = self._manifest()
        with Crew(self._transfers, interrupt=self._registry.close) as crew:
            sendings = [
                Sending(blob, self._mount_from(blob), self._registry, self._name.repository, self._store, crew)
                for blob in manifest.blobs
            ]
            next((each for each in sendings if each.open()), None)  # shows whether we may, before threads are at work
            for sending in sendings:
                crew.do(sending.begin)
            told: dict[Blob, int] = {}
            for _ in crew.looks():
                for blob, done in [(sending.blob, sending.done) for sending in sendings]:
                    if told.get(blob) != done:
                        told[blob] = done
                        yield WorkStep(f"pushing {blob.short}", blob.digest, blob.size, done)
        yield WorkStep("pushing manifest")
        self._retries.call(lambda: self._send(manifest))
        yield WorkStep("success")

    def _manifest(self) -> Manifest:
        name = self._name.shortest
        try:
            manifest = Manifest.parse(self._store.manifest_content(self._name))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ModelNotFoundError(
                f"There is no model {name!r} in {self._store.root}.",
                hint="OLLAMA_MODELS names another folder. An Ollama server of another user has a store of its own.",
            ) from error
        except AnswerError as error:
            raise ModelStoreError(
                f"The model {name!r} in {self._store.root} is damaged.", hint=error.message, code="layer_damaged"
            ) from error
        missing = next((blob for blob in manifest.blobs if not self._store.has(blob)), None)
        if missing is not None:
            raise ModelStoreError(
                f"The layer {missing.short} of {name!r} is missing in {self._store.root}, or has another size.",
                hint="Make the model anew, or pull it, where it came from a registry.",
                code="layer_damaged",
            )
        return manifest

    def _mount_from(self, blob: Blob) -> str:
        """The repository at the same registry that a blob came from, or nothing."""
        try:
            source = ModelName.parse(blob.source)
        except UsageError:
            return ""
        same = source.host.lower() == self._name.host.lower() and source.repository != self._name.repository
        return source.repository if same else ""

    def _send(self, manifest: Manifest) -> None:
        path = f"v2/{self._name.repository}/manifests/{self._name.tag}"
        headers = {"Content-Type": manifest.media_type, "Content-Length": str(len(manifest.content))}

        def content() -> Iterator[bytes]:
            yield manifest.content

        with self._registry.answer(
            "PUT", path, headers=headers, body=content, follow=False, patience=SECONDS_TO_PUT_TOGETHER
        ):
            pass

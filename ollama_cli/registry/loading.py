"""A blob, loaded in parallel parts, each of which goes on where it stopped."""

from __future__ import annotations

import re
import threading
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from ollama_cli.errors import AnswerError, UnavailableError
from ollama_cli.registry.persistence import Persistence
from ollama_cli.registry.unfinished import Part, Unfinished

if TYPE_CHECKING:
    from ollama_cli.api.manifest import Blob
    from ollama_cli.registry.crew import Crew
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore
    from ollama_cli.registry.store_locks import Claim
    from ollama_cli.transport.lean_httpx import httpx

_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")
_ANY = {"Accept": "*/*"}
_TOLD_HERE = frozenset({HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, HTTPStatus.NOT_FOUND})


class Loading:
    """A blob that this command loads.

    Args:
        blob: The blob.
        claim: The right to load it; released at the end.
        store: Where it goes.
        registry: Where it comes from.
        path: Its path there.
        crew: Who loads it.
    """

    def __init__(self, blob: Blob, claim: Claim, store: ModelStore, registry: Registry, path: str, crew: Crew) -> None:
        self.blob = blob
        self._claim = claim
        self._store = store
        self._registry = registry
        self._path = path
        self._crew = crew
        self._lock = threading.Lock()
        self._gives_parts = False
        self._waiting: list[Part] = []
        self._running = 0
        try:
            with store.explained():
                self._unfinished = Unfinished(store.unfinished, blob)
        except BaseException:
            claim.release()
            raise

    @property
    def done(self) -> int:
        """Bytes that are there."""
        return self._unfinished.done

    @property
    def ended(self) -> bool:
        """Whether all is done, and others may have it."""
        return self._claim.released

    def begin(self) -> None:
        """Load one part; once the registry has shown that it gives parts, the others are loaded beside it."""
        self._waiting = [part for part in self._unfinished.parts if part.done < part.size]
        if self._waiting:
            self._running = 1
            first = self._waiting.pop(0)
            self._crew.do(lambda: self._load(first))
        else:
            self._crew.do(self._finish)

    def release(self) -> None:
        """Let other commands load it."""
        self._claim.release()

    def _load(self, part: Part) -> None:
        try:
            Persistence(self._crew, lambda: part.done).call(lambda: self._attempt(part))
        except _NoPartsError:
            with self._store.explained():
                self._unfinished.begin_as_one_part()
            self.begin()
            return
        with self._lock:
            self._running -= 1
            last = not self._running
        if last:
            self._finish()

    def _begin_others(self) -> None:
        with self._lock:
            others, self._waiting = self._waiting, []
            self._gives_parts = True
            self._running += len(others)
        for part in others:
            self._crew.do(partial(self._load, part))

    def _finish(self) -> None:
        with self._store.explained():
            self._unfinished.finish(self._store.path(self.blob), self._crew.check)
        self.release()

    def _attempt(self, part: Part) -> None:
        first = part.offset + part.done
        whole = part.size == self.blob.size and not part.done
        asked = _ANY if whole else {**_ANY, "Range": f"bytes={first}-{part.offset + part.size - 1}"}
        with self._registry.answer("GET", self._path, headers=asked, accepted=_TOLD_HERE) as response:
            anew = not whole and part.size == self.blob.size and response.status_code == HTTPStatus.OK
            self._check(response, None if whole or anew else first)
            self._begin_others()
            with self._store.explained(), self._unfinished.writer(part) as writer:
                if anew:
                    writer.begin_anew()
                for piece in response.iter_raw():
                    writer.write(piece)
                    self._crew.check()
                    if part.done == part.size:
                        return
        raise UnavailableError(
            f"The layer {self.blob.short} broke off.", hint="Run it again: it goes on there.", code="connection_lost"
        )

    def _check(self, response: httpx.Response, first: int | None) -> None:
        """Check that an answer is what was asked for: the whole, or a part that begins at ``first``.

        Raises:
            AnswerError: The blob is not there, or has another size.
            UnavailableError: It is another part, or the whole from a server that has given parts.
        """
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise _contradiction(self.blob, "it does not have it")
        if first is None:
            told = response.headers.get("Content-Length", "")
            if response.status_code == HTTPStatus.OK and told in {"", str(self.blob.size)}:
                return
            raise _contradiction(self.blob, f"it has {told[:20] or 'some'} bytes of it, and there are {self.blob.size}")
        if response.status_code == HTTPStatus.OK and not self._gives_parts:
            raise _NoPartsError
        told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if told and told[3] not in {"*", str(self.blob.size)}:
            raise _contradiction(self.blob, f"it has {told[3]} bytes of it, and there are {self.blob.size}")
        if response.status_code != HTTPStatus.PARTIAL_CONTENT or told is None or int(told[1]) != first:
            raise UnavailableError(
                f"The registry sent another part of the layer {self.blob.short} than it was asked for.",
                hint="Try again in a moment.",
                code="answer_invalid",
            )


class _NoPartsError(Exception):
    """The server gives a blob from its start only."""


def _contradiction(blob: Blob, what: str) -> AnswerError:
    return AnswerError(
        f"The registry contradicts the model's manifest about the layer {blob.short}: {what}.",
        hint="Try again later; if that does not help, whoever published the model has to publish it anew.",
        code="registry_contradicts",
    )

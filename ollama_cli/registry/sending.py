"""A blob, sent in parts: beside each other where the registry names a place for each, else one after the other."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from ollama_cli.errors import AnswerError, ModelStoreError, UnavailableError
from ollama_cli.registry.exchange import address_in
from ollama_cli.registry.persistence import Persistence
from ollama_cli.registry.unfinished import READ_AT_ONCE, Part, digest_of, divided, part_size

if TYPE_CHECKING:
    from ollama_cli.api.manifest import Blob
    from ollama_cli.registry.crew import Crew
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore
    from ollama_cli.transport.lean_httpx import httpx

SECONDS_TO_PUT_TOGETHER = 900.0
"""How long a registry may be silent while it puts the parts of a blob together and checks them."""

_REDIRECTED = frozenset({HTTPStatus.TEMPORARY_REDIRECT})
_UNTOLD = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
"""How a registry answers that does not tell how far an upload is; the part is offered anew then."""

_HELD = re.compile(r"(?:bytes=)?0-([0-9]{1,19})")


class Sending:
    """A blob that is sent.

    Args:
        blob: The blob.
        mount_from: The repository at the same registry that it came from, or nothing.
        registry: Where it goes.
        repository: Namespace and model that it belongs to there.
        store: Where it stands.
        crew: Who sends it.
    """

    def __init__(
        self, blob: Blob, mount_from: str, registry: Registry, repository: str, store: ModelStore, crew: Crew
    ) -> None:
        self.blob = blob
        self._mount_from = mount_from
        self._registry = registry
        self._folder = f"v2/{repository}/blobs"
        self._store = store
        self._crew = crew
        self._path = store.path(blob)
        self._parts = divided(blob.size, part_size(blob.size))
        self._sums: dict[int, bytes] = {}
        self._next = ""
        self._lock = threading.Lock()
        self._running = 0
        self._there = False

    @property
    def done(self) -> int:
        """Bytes that the registry has."""
        return self.blob.size if self._there else sum(part.done for part in self._parts)

    def open(self) -> bool:
        """Ask where it is to be sent. Whether it has to be: the registry may have it, or take it from another model."""
        if not self._next and not self._there:
            Persistence(self._crew, lambda: 0).call(self._ask)
        return not self._there

    def begin(self) -> None:
        """Send it, where it has to be; and check it meanwhile, for without that it does not become one."""
        if self.open():
            self._running = 2
            self._crew.do(self._check)
            self._send(0)

    def _check(self) -> None:
        with self._store.explained():
            if digest_of(self._path, self._crew.check) != self.blob.digest:
                raise ModelStoreError(
                    f"The layer {self.blob.short} is damaged here, and nobody could load it.",
                    hint="Make the model anew, or pull it, where it came from a registry.",
                    code="layer_damaged",
                )
        self._finish_one()

    def _ask(self) -> None:
        if self._is_there():
            self._there = True
            return
        query = f"?{urlencode({'mount': self.blob.digest, 'from': self._mount_from})}" if self._mount_from else ""
        with self._registry.answer("POST", f"{self._folder}/uploads/{query}", follow=False) as response:
            self._there = bool(self._mount_from) and response.status_code == HTTPStatus.CREATED
            self._next = _next_address(response)

    def _is_there(self) -> bool:
        missing = frozenset({HTTPStatus.NOT_FOUND, *range(300, 400)})  # it redirects to what it has
        path = f"{self._folder}/{self.blob.digest}"
        with self._registry.answer("HEAD", path, follow=False, accepted=missing) as response:
            return response.status_code != HTTPStatus.NOT_FOUND

    def _send(self, number: int) -> None:
        """Send a part, and have the crew send the next one as soon as it is known where that goes."""
        if number == len(self._parts):
            self._finish_one()
            return
        part = self._parts[number]
        place = self._offer(part)
        with self._lock:
            self._running += 1
        self._crew.do(partial(self._send, number + 1))
        if place is not None:
            put = partial(self._put, place, part)
            Persistence(self._crew, lambda: 0).call(put)
        self._finish_one()

    def _finish_one(self) -> None:
        with self._lock:
            self._running -= 1
            last = not self._running
        if last:
            Persistence(self._crew, lambda: 0).call(self._commit)

    def _offer(self, part: Part) -> str | None:
        """Send a part to the registry; or the address that it wants it sent to."""
        place: str | None = None
        begun = False

        def body() -> Iterator[bytes]:
            nonlocal begun
            begun = True
            yield from self._bytes_of(part, part.done)

        def attempt() -> None:
            nonlocal place
            if begun and self._found_whole(part):  # an earlier try broke off in the middle
                return
            first = part.offset + part.done
            headers = {
                "Content-Range": f"{first}-{part.offset + part.size - 1}",
                "X-Redirect-Uploads": "1",
                "Expect": "100-continue",
                **_length(part.size - part.done),
            }
            with self._registry.answer(
                "PATCH", self._next, headers=headers, body=body, follow=False, accepted=_REDIRECTED
            ) as response:
                if response.status_code == HTTPStatus.TEMPORARY_REDIRECT:
                    part.done = 0
                    place = address_in(response, response.headers.get("Location", ""))
                self._next = _next_address(response)

        Persistence(self._crew, lambda: part.done).call(attempt)
        return place

    def _found_whole(self, part: Part) -> bool:
        """Ask how far the registry is with a part that broke off. Whether it has all, and only its answer was lost."""
        with self._registry.answer("GET", self._next, follow=False, accepted=_UNTOLD) as response:
            if response.status_code in _UNTOLD:
                part.done = 0
                return False
            held = _HELD.fullmatch(response.headers.get("Range", ""))
            end = int(held[1]) + 1 if held and held[1] != "0" else 0  # 0-0 is told of nothing too
            self._next = _next_address(response)
        if not part.offset <= end <= part.offset + part.size:
            raise AnswerError(
                f"The registry has lost what was sent of the layer {self.blob.short}.",
                hint="Run it again.",
                code="upload_lost",
            )
        part.done = end - part.offset
        return part.done == part.size

    def _put(self, place: str, part: Part) -> None:
        body = partial(self._bytes_of, part, 0)
        with self._registry.answer("PUT", place, headers=_length(part.size), body=body, follow=False, bare=True):
            pass

    def _bytes_of(self, part: Part, start: int) -> Iterator[bytes]:
        """The bytes of a part from some place in it on; ``done`` follows what is taken."""
        part.done = start
        checksum = hashlib.md5(usedforsecurity=False)
        with self._store.explained(), self._path.open("rb", buffering=0) as file:
            file.seek(part.offset + start)
            while part.done < part.size:
                piece = file.read(min(READ_AT_ONCE, part.size - part.done))
                if not piece:
                    raise OSError("it became shorter")
                self._crew.check()
                checksum.update(piece)
                yield piece
                part.done += len(piece)
        if not start:
            self._sums[part.number] = checksum.digest()

    def _commit(self) -> None:
        """Have the registry put the parts together. An answer that was lost is found in what the registry has then."""
        sums = hashlib.md5(usedforsecurity=False)
        for part in self._parts:
            sums.update(self._sums[part.number] if part.number in self._sums else self._checksum(part))
        pairs = {"digest": self.blob.digest, "etag": f"{sums.hexdigest()}-{len(self._parts)}"}
        address = _with_query(self._next, pairs)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": "0"}
        try:
            with self._registry.answer("PUT", address, headers=headers, follow=False, patience=SECONDS_TO_PUT_TOGETHER):
                pass
        except UnavailableError:
            if not self._is_there():
                raise
        self._there = True

    def _checksum(self, part: Part) -> bytes:
        done = part.done
        for _ in self._bytes_of(part, 0):
            pass
        part.done = done
        return self._sums[part.number]


def _length(size: int) -> dict[str, str]:
    return {"Content-Type": "application/octet-stream", "Content-Length": str(size)}


def _next_address(response: httpx.Response) -> str:
    """Where an upload goes on."""
    named: str = response.headers.get("Docker-Upload-Location") or response.headers.get("Location") or ""
    return address_in(response, named)


def _with_query(address: str, pairs: dict[str, str]) -> str:
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *pairs.items()])
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{query}"

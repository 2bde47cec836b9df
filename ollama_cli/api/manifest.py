"""A model's manifest: which blobs it is made of. It comes from a server, so nothing in it is believed unchecked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ollama_cli.errors import AnswerError

MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
"""What a manifest is called where it does not name its type."""

LARGEST_MANIFEST = 4 * 1024 * 1024
"""Bytes of a manifest: as many as Docker's registry takes."""

MOST_LAYERS = 10_000
"""Models that are kept a tensor a layer have some thousands."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9!#$&^_.+-]+")
_LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True)
class Blob:
    """A file of a model.

    Attributes:
        digest: ``sha256:`` and 64 hexadecimal digits, in lower case; nothing else, so it can stand in a path.
        size: Its bytes.
        source: The model that it came from, as the manifest names it, or nothing.
    """

    digest: str
    size: int
    source: str = ""

    @property
    def hexadecimal(self) -> str:
        """The digest without its kind."""
        return self.digest.removeprefix("sha256:")

    @property
    def short(self) -> str:
        """How people are told of it."""
        return self.hexadecimal[:12]


@dataclass(frozen=True)
class Manifest:
    """A manifest that was read.

    Attributes:
        content: Its bytes, as they came; what is stored and sent is these.
        media_type: Its type.
        blobs: The files that it names: layers in their order, then the configuration, each once.
    """

    content: bytes
    media_type: str
    blobs: tuple[Blob, ...]

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """Read a manifest.

        Names are compared without case and none may stand twice, for the reference reads them so: what is checked here
        is then what it will see.

        Raises:
            AnswerError: It is none, or names what no store could hold.
        """
        if len(content) > LARGEST_MANIFEST:
            raise _bad("it is too long")
        try:
            read = json.loads(content, object_pairs_hook=_without_case)
        except (ValueError, RecursionError) as error:
            raise _bad("it is no JSON, or says something twice") from error
        if not isinstance(read, dict):
            raise _bad("it is no object")
        layers, config = read.get("layers") or [], read.get("config") or {}
        if not isinstance(layers, list) or not isinstance(config, dict):
            raise _bad("its layers are no list, or its configuration is no object")
        if len(layers) > MOST_LAYERS:
            raise _bad(f"it names {len(layers)} layers, and {MOST_LAYERS} are the most that are taken")
        blobs = [_blob(layer) for layer in layers]
        if config.get("digest"):
            blobs.append(_blob(config))
        media_type = read.get("mediatype") or MEDIA_TYPE
        if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
            raise _bad("its type is none")
        return cls(content, media_type, _each_once(blobs))


def _without_case(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = {name.casefold(): value for name, value in pairs}
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _blob(read: object) -> Blob:
    if not isinstance(read, dict):
        raise _bad("a layer is no object")
    digest, size, source = read.get("digest"), read.get("size"), read.get("from")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _bad(f"{str(digest)[:80]!r} is no digest")
    if type(size) is not int or not 0 <= size <= _LARGEST_SIZE:
        raise _bad(f"{str(size)[:40]!r} is no size")
    return Blob(digest, size, source if isinstance(source, str) else "")


def _each_once(blobs: list[Blob]) -> tuple[Blob, ...]:
    found: dict[str, Blob] = {}
    for blob in blobs:
        if found.setdefault(blob.digest, blob).size != blob.size:
            raise _bad(f"it names two sizes for {blob.short}")
    if not found:
        raise _bad("it names no layers")
    return tuple(found.values())


def _bad(why: str) -> AnswerError:
    return AnswerError(
        f"The model's manifest cannot be used: {why}.",
        hint="Nothing of it was loaded. Check the name, and whether it is a model of Ollama's.",
        code="bad_manifest",
    )

"""Models as a registry and a store have them: their bytes, their manifests, and the files of a folder of models."""

from __future__ import annotations

import filecmp
import hashlib
import json
from itertools import chain
from pathlib import Path
from typing import Any

from ollama_cli.api.model_name import ModelName

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
MODEL_TYPE = "application/vnd.ollama.image.model"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(content: bytes, media_type: str = MODEL_TYPE, **fields: Any) -> dict[str, Any]:
    """How a manifest names a layer."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **fields}


def manifest_of(*layers: bytes, config: bytes = b"{}") -> bytes:
    """The manifest of a model of these layers."""
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": layer(config, CONFIG_TYPE),
        "layers": [layer(each) for each in layers],
    }
    return json.dumps(content).encode()


def cheap_bytes(size: int, seed: int = 0) -> bytes:
    """Bytes that are quickly made, and differ from place to place."""
    block = b"".join(hashlib.sha256(f"{seed}-{number}".encode()).digest() for number in range(1024))
    numbered = (number.to_bytes(8, "big") + block[8:] for number in range(-(-size // len(block))))
    return b"".join(numbered)[:size]


def files_below(root: Path) -> dict[str, bytes]:
    """What a store holds that is whole: names of files below it, without our own folder, and their bytes."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".ollama-cli" not in path.parts
    }


def put_model(
    root: Path, name: str, *layers: bytes, config: bytes = b"{}", fields: dict[str, Any] | None = None
) -> None:
    """Put a model into a store as a daemon has it there.

    Args:
        root: The store.
        name: The model.
        layers: Its layers.
        config: Its configuration.
        fields: What the manifest says about each layer besides.
    """
    whole = ModelName.parse(name)
    path = root.joinpath("manifests", *whole.parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.loads(manifest_of(*layers, config=config))
    content["layers"] = [{**each, **(fields or {})} for each in content["layers"]]
    path.write_text(json.dumps(content))
    (root / "blobs").mkdir(exist_ok=True)
    for blob in (*layers, config):
        blob_path(root, blob).write_bytes(blob)


def blob_path(root: Path, content: bytes) -> Path:
    """Where a store has a blob."""
    return root / "blobs" / digest_of(content).replace(":", "-")


def same_model(first: Path, first_name: str, second: Path, second_name: str) -> bool:
    """Whether two stores have the same model under their names, every byte of it."""
    paths = [root / "manifests" / name for root, name in ((first, first_name), (second, second_name))]
    if paths[0].read_bytes() != paths[1].read_bytes():
        return False
    content = json.loads(paths[0].read_bytes())
    names = [each["digest"].replace(":", "-") for each in (*content["layers"], content["config"])]
    return all(filecmp.cmp(first / "blobs" / name, second / "blobs" / name, shallow=False) for name in names)


def is_sound(root: Path) -> bool:
    """Whether a daemon finds nothing wrong in a store: each blob is what its name says, each manifest has its blobs."""
    for path in (root / "blobs").glob("sha256-*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name.removeprefix("sha256-")
    for path in (root / "manifests").glob("*/*/*/*"):
        content = json.loads(path.read_bytes())
        named = (content.get("layers") or ()), [content.get("config") or {}]
        for each in filter(lambda each: each.get("digest"), chain(*named)):
            assert (root / "blobs" / each["digest"].replace(":", "-")).stat().st_size == each["size"]
    assert not [path for path in (root / "manifests").rglob(".*") if path.is_file()]
    return True

"""The models that anybody may pull from the sandbox: one, small enough to be made when it is asked for.

Its file is in the form that Ollama reads, with no weights in it, so a server that has it can list and show it.
"""

from __future__ import annotations

import json
import struct
from hashlib import sha256

from ollama_cli.api.manifest import MEDIA_TYPE
from ollama_cli.sandbox.registry_files import RegistryFiles

REPOSITORY = "library/tiny"
TAG = "latest"
_LICENSE = b"A stand-in of the sandbox of ollama-cli. There are no weights in it; do with it what you like.\n"
_TEXT, _NUMBER = 8, 4  # what GGUF calls these types
_FACTS: tuple[tuple[str, str | int], ...] = (
    ("general.architecture", "llama"),
    ("general.name", "a stand-in of the sandbox"),
    ("general.parameter_count", 0),
    ("llama.block_count", 1),
    ("llama.context_length", 128),
    ("llama.embedding_length", 8),
    ("llama.attention.head_count", 1),
    ("llama.attention.head_count_kv", 1),
)


def library_model(files: RegistryFiles, repository: str, tag: str) -> None:
    """Make the model, where it is the one that is asked for and is not there yet."""
    if (repository, tag) != (REPOSITORY, TAG) or files.manifest(repository, tag) is not None:
        return
    layers = (
        ("application/vnd.ollama.image.model", _gguf()),
        ("application/vnd.ollama.image.template", b"{{ .Prompt }}"),
        ("application/vnd.ollama.image.license", _LICENSE),
    )
    named = [_keep(files, kind, content) for kind, content in layers]
    config = {
        "model_format": "gguf",
        "model_family": "llama",
        "model_families": ["llama"],
        "model_type": "0",
        "file_type": "F32",
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in named]},
    }
    kept = _keep(files, "application/vnd.docker.container.image.v1+json", json.dumps(config).encode())
    manifest = {"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": kept, "layers": named}
    files.put_manifest(REPOSITORY, TAG, json.dumps(manifest).encode())


def _keep(files: RegistryFiles, kind: str, content: bytes) -> dict[str, str | int]:
    digest = f"sha256:{sha256(content).hexdigest()}"
    files.put_blob(REPOSITORY, digest, content)
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def _gguf() -> bytes:
    """A file of version 3 of the form, with facts and no tensors."""
    facts = b"".join(_text(name) + _value(value) for name, value in _FACTS)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(_FACTS)) + facts


def _value(value: str | int) -> bytes:
    return struct.pack("<I", _TEXT) + _text(value) if isinstance(value, str) else struct.pack("<II", _NUMBER, value)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()

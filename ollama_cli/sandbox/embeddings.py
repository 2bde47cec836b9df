"""Vectors that say nothing, and are always the same for the same text."""

from __future__ import annotations

import math
from hashlib import shake_256
from typing import Any

from ollama_cli.sandbox.bodies import field
from ollama_cli.sandbox.models import Model
from ollama_cli.sandbox.refusals import RefusedError

_BYTES_A_NUMBER = 4


def embeddings(body: dict[str, Any], model: Model, name: str) -> tuple[list[list[float]], int]:
    """The vectors for the ``input`` of a body, and how many words it has.

    Raises:
        RefusedError: The body is wrong, or the model makes no vectors.
    """
    if not model.can("embedding"):
        raise RefusedError(400, f'"{name}" does not support embeddings')
    given = body.get("input")
    texts = [given] if isinstance(given, str) and given else given or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RefusedError(400, "invalid input type")
    dimensions = field(body, "dimensions", int, 0)
    if dimensions < 0:
        raise RefusedError(400, "dimensions must not be negative")
    length = min(dimensions or model.embedding_length, model.embedding_length)
    counts = [len(text.split()) for text in texts]
    if not field(body, "truncate", bool, True) and any(count > model.context_length for count in counts):
        raise RefusedError(400, "the input length exceeds the context length")
    return [_vector(text, model, length) for text in texts], sum(min(count, model.context_length) for count in counts)


def _vector(text: str, model: Model, length: int) -> list[float]:
    """A vector of length one, from the digest of the words that the model would read."""
    read = " ".join(text.split()[: model.context_length])
    digest = shake_256(read.encode("utf-8", "surrogatepass")).digest(model.embedding_length * _BYTES_A_NUMBER)
    numbers = [
        int.from_bytes(digest[start : start + _BYTES_A_NUMBER], "big", signed=True)
        for start in range(0, length * _BYTES_A_NUMBER, _BYTES_A_NUMBER)
    ]
    size = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return [number / size for number in numbers]

"""How far the work on a model is: the events of ``/api/pull``, ``/api/push`` and ``/api/create``, and of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LARGEST_SIZE = 2**63 - 1
_LONGEST_DIGEST = 256
_LONGEST_STATUS = 500


@dataclass(frozen=True)
class WorkStep:
    """A step of the work, by a daemon or, where none takes part, by ``registry/``.

    Attributes:
        status: What is done, in a daemon's words.
        digest: The layer that it loads or sends, or nothing.
        total: The layer's size in bytes.
        completed: How many of them are there.
    """

    status: str
    digest: str = ""
    total: int = 0
    completed: int = 0

    @classmethod
    def from_event(cls, content: Mapping[str, Any]) -> WorkStep:
        """Read an event; what is missing, of another type, or no size is nothing."""
        return cls(
            _text(content.get("status"), _LONGEST_STATUS),
            _text(content.get("digest"), _LONGEST_DIGEST),
            _size(content.get("total")),
            _size(content.get("completed")),
        )


def _text(told: object, longest: int) -> str:
    """A text, without halves of characters, which JSON may name and nothing can write."""
    return told[:longest].encode("utf-8", "replace").decode() if isinstance(told, str) else ""


def _size(told: object) -> int:
    return told if type(told) is int and 0 <= told <= _LARGEST_SIZE else 0

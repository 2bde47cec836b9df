"""The events of ``/api/pull``: how far a daemon is with loading a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True)
class PullProgress:
    """A step of it.

    Attributes:
        status: What the daemon does, in its words.
        digest: The layer that it loads, or nothing.
        total: The layer's size in bytes.
        completed: How many of them are there.
    """

    status: str
    digest: str = ""
    total: int = 0
    completed: int = 0

    @classmethod
    def from_event(cls, content: Mapping[str, Any]) -> PullProgress:
        """Read an event; what is missing, of another type or no size is nothing."""
        return cls(
            str(content.get("status") or ""),
            str(content.get("digest") or ""),
            _size(content.get("total")),
            _size(content.get("completed")),
        )


def _size(told: object) -> int:
    return told if isinstance(told, int) and 0 <= told <= _LARGEST_SIZE else 0

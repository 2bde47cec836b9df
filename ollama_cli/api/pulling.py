"""The events of ``/api/pull``: how far a daemon is with loading a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
        """Read an event; what is missing or of another type is nothing."""
        total, completed = content.get("total"), content.get("completed")
        return cls(
            str(content.get("status") or ""),
            str(content.get("digest") or ""),
            total if isinstance(total, int) else 0,
            completed if isinstance(completed, int) else 0,
        )

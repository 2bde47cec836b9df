"""What a server tells about a model: ``/api/show``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ollama_cli.errors import UnavailableError


@dataclass(frozen=True)
class ModelInfo:
    """What has to be known to ask a model.

    Attributes:
        capabilities: What it can do: ``completion``, ``embedding``, ``image``, ``thinking``, ``vision``, ``audio``,
            ``tools`` and others.
        remote_host: Where it runs, where the server only passes requests on; else nothing.
    """

    capabilities: frozenset[str]
    remote_host: str = ""

    @classmethod
    def from_answer(cls, content: object) -> ModelInfo:
        """Read the answer of ``/api/show``.

        Raises:
            UnavailableError: It is no such answer.
        """
        if not isinstance(content, dict):
            raise UnavailableError("The server told nothing about the model.", code="answer_invalid")
        told = content.get("capabilities")
        capabilities = {str(word) for word in told} if isinstance(told, list) else set[str]()
        if _sees(content):
            capabilities.add("vision")
        return cls(frozenset(capabilities), str(content.get("remote_host") or ""))

    @property
    def takes_files(self) -> bool:
        """Whether it looks at images, or listens."""
        return bool(self.capabilities & {"vision", "audio"})


def _sees(content: Mapping[str, Any]) -> bool:
    """Whether it sees, told the way that servers did before they named capabilities."""
    details = content.get("model_info")
    return bool(content.get("projector_info")) or (
        isinstance(details, dict) and any(".vision." in name for name in details)
    )

"""What a server tells about a model: ``/api/show``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ollama_cli.errors import UnavailableError


@dataclass(frozen=True)
class ModelInfo:
    """What has to be known to ask a model.

    Attributes:
        capabilities: What it can do: ``completion``, ``embedding``, ``image``, ``thinking``, ``vision``, ``audio``,
            ``tools`` and others.
        remote_host: Where it runs, where the server only passes requests on; else nothing.
        told: The whole answer, as the server sent it.
    """

    capabilities: frozenset[str]
    remote_host: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)

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
        return cls(frozenset(capabilities), str(content.get("remote_host") or ""), content)

    @property
    def takes_files(self) -> bool:
        """Whether it looks at images, or listens."""
        return bool(self.capabilities & {"vision", "audio"})

    @property
    def context_length(self) -> int:
        """Tokens that it can read at once; 0 where the server does not say."""
        details = self.told.get("model_info")
        named = details.items() if isinstance(details, dict) else ()
        return next((value for name, value in named if name.endswith(".context_length") and type(value) is int), 0)

    @property
    def parent_model(self) -> str:
        """The model that it was made from, or nothing."""
        details = self.told.get("details")
        return str(details.get("parent_model") or "") if isinstance(details, dict) else ""

    def text(self, name: str) -> str:
        """A field that is a text, such as ``license``; nothing where there is none."""
        value = self.told.get(name)
        return value if isinstance(value, str) else ""


def _sees(content: Mapping[str, Any]) -> bool:
    """Whether it sees, told the way that servers did before they named capabilities."""
    details = content.get("model_info")
    return bool(content.get("projector_info")) or (
        isinstance(details, dict) and any(".vision." in name for name in details)
    )

"""The models that a server has, ``/api/tags``, and those that it holds in memory, ``/api/ps``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ollama_cli.api.model_ref import ModelRef
from ollama_cli.errors import UnavailableError


@dataclass(frozen=True)
class ListedModel:
    """A model in a list.

    Attributes:
        name: How it is asked for.
        digest: What its content is called, as hexadecimal digits; nothing where the server does not say.
        size: Bytes that it takes.
        modified_at: When it came, in RFC 3339; nothing where the server does not say.
        remote_host: Where it runs, where the server only passes requests on; else nothing.
        told: All that the server tells about it.
    """

    name: str
    digest: str = ""
    size: int = 0
    modified_at: str = ""
    remote_host: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What the server tells about it, under the name by which it is asked for."""
        return {**self.told, "name": self.name}


def with_cloud_names(models: Iterable[ListedModel]) -> list[ListedModel]:
    """ollama.com's models, by the names under which they are asked for there, whatever else has models here."""
    return [replace(model, name=ModelRef.parse(model.name).cloud_twin) for model in models]


@dataclass(frozen=True)
class RunningModel:
    """A model in a daemon's memory.

    Attributes:
        name: How it is asked for.
        digest: What its content is called, as hexadecimal digits; nothing where the server does not say.
        size: Bytes of memory that it takes.
        size_vram: How many of them are a graphics card's.
        context_length: Tokens that it reads at once.
        expires_at: Until when it stays there, in RFC 3339.
        told: All that the server tells about it.
    """

    name: str
    digest: str
    size: int
    size_vram: int
    context_length: int
    expires_at: str
    told: Mapping[str, Any]


def models_of(content: object) -> list[ListedModel]:
    """Read the answer of ``/api/tags``; what is no model in it is left out.

    Raises:
        UnavailableError: It is no such answer.
    """
    return [
        ListedModel(
            name,
            _text(told, "digest"),
            _number(told, "size"),
            _text(told, "modified_at"),
            _text(told, "remote_host"),
            told,
        )
        for name, told in _named_models(content)
    ]


def running_of(content: object) -> list[RunningModel]:
    """Read the answer of ``/api/ps``; what is no model in it is left out.

    Raises:
        UnavailableError: It is no such answer.
    """
    return [
        RunningModel(
            name,
            _text(told, "digest"),
            _number(told, "size"),
            _number(told, "size_vram"),
            _number(told, "context_length"),
            _text(told, "expires_at"),
            told,
        )
        for name, told in _named_models(content)
    ]


def _named_models(content: object) -> list[tuple[str, Mapping[str, Any]]]:
    told = content.get("models") if isinstance(content, dict) else None
    if not isinstance(told, list):
        raise UnavailableError("The server told nothing about its models.", code="answer_invalid")
    named = ((_text(model, "name") or _text(model, "model"), model) for model in told if isinstance(model, dict))
    return [(name, model) for name, model in named if name]


def _text(told: Mapping[str, Any], name: str) -> str:
    return str(told.get(name) or "")


def _number(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    return value if isinstance(value, int) else 0

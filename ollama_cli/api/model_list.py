"""The models that a server has: ``/api/tags``."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    name: str
    digest: str = ""
    size: int = 0
    modified_at: str = ""
    remote_host: str = ""


def models_of(content: object) -> list[ListedModel]:
    """Read the answer of ``/api/tags``; what is no model in it is left out.

    Raises:
        UnavailableError: It is no such answer.
    """
    told = content.get("models") if isinstance(content, dict) else None
    if not isinstance(told, list):
        raise UnavailableError("The server told nothing about its models.", code="answer_invalid")
    return [
        ListedModel(
            str(model.get("name") or model.get("model")),
            str(model.get("digest") or ""),
            size if isinstance(size := model.get("size"), int) else 0,
            str(model.get("modified_at") or ""),
            str(model.get("remote_host") or ""),
        )
        for model in told
        if isinstance(model, dict) and (model.get("name") or model.get("model"))
    ]

"""A question to a model, read from a body of Ollama's own API and checked against what the model can do."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

from ollama_cli.sandbox.bodies import field, objects, texts
from ollama_cli.sandbox.models import Model, find_model
from ollama_cli.sandbox.refusals import RefusedError

THINK_WORDS = ("high", "medium", "low", "max")
_WHOLE_OPTIONS = (
    "num_predict",
    "num_ctx",
    "num_keep",
    "seed",
    "top_k",
    "repeat_last_n",
    "num_batch",
    "num_gpu",
    "num_thread",
)
_NUMBER_OPTIONS = (
    "temperature",
    "top_p",
    "min_p",
    "typical_p",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
)


@dataclass(frozen=True)
class Said:
    """One message of a conversation.

    Attributes:
        role: Who said it: ``system``, ``user``, ``assistant`` or ``tool``.
        content: The text.
        images: The pictures with it, decoded.
    """

    role: str
    content: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Question:
    """What a model is asked.

    Attributes:
        model: The model.
        name: What it was called by, which the answer repeats.
        messages: The conversation; a prompt is one message.
        think: Whether to think, and how hard; None is as the model likes.
        format: ``json``, a JSON Schema, or None for text.
        tools: What it may call.
        words: How many words it may say, or None.
        stops: Texts that end the answer.
    """

    model: Model
    name: str
    messages: tuple[Said, ...]
    think: bool | str | None = None
    format: str | dict[str, Any] | None = None
    tools: tuple[dict[str, Any], ...] = ()
    words: int | None = None
    stops: tuple[str, ...] = ()

    @property
    def thinks(self) -> bool:
        """Whether thinking comes before the answer."""
        return self.model.can("thinking") and self.think is not False


def model_in(body: dict[str, Any]) -> tuple[Model, str]:
    """The model that a body names in ``model`` or, as of old, ``name``; and how it names it."""
    name = field(body, "model", str, "") or field(body, "name", str, "")
    return find_model(name), name


def read_generate(body: dict[str, Any]) -> Question:
    """A question of ``/api/generate``.

    Raises:
        RefusedError: The body is wrong, or asks what the model cannot do.
    """
    system, prompt = field(body, "system", str, ""), field(body, "prompt", str, "")
    said = [Said("system", system)] if system else []
    said.append(Said("user", prompt, _images(texts(body, "images"))))
    return _checked(body, tuple(said), "generate")


def read_chat(body: dict[str, Any]) -> Question:
    """A question of ``/api/chat``.

    Raises:
        RefusedError: The body is wrong, or asks what the model cannot do.
    """
    said = tuple(
        Said(field(item, "role", str, ""), field(item, "content", str, ""), _images(texts(item, "images")))
        for item in objects(body, "messages")
    )
    return _checked(body, said, "chat")


def _checked(body: dict[str, Any], said: tuple[Said, ...], what: str) -> Question:
    model, name = model_in(body)
    if not model.can("completion"):
        raise RefusedError(400, f'"{name}" does not support {what}')
    think, tools = _think(body.get("think")), objects(body, "tools")
    if think not in {None, False} and not model.can("thinking"):
        raise RefusedError(400, f'"{name}" does not support thinking')
    if tools and not model.can("tools"):
        raise RefusedError(400, f'"{name}" does not support tools')
    if any(message.images for message in said) and not model.can("vision"):
        raise RefusedError(400, f'"{name}" does not support images')
    options = _options(body)
    limit = options.get("num_predict", 0)
    return Question(
        model=model,
        name=name,
        messages=said,
        think=think,
        format=_format(body.get("format")),
        tools=tuple(tools),
        words=limit if limit > 0 else None,
        stops=_stops(options.get("stop")),
    )


def _think(value: Any) -> bool | str | None:
    if value is None or isinstance(value, bool) or value in THINK_WORDS:
        return value  # type: ignore[no-any-return]
    raise RefusedError(
        400, f'invalid think value: {json.dumps(value)} (must be "high", "medium", "low", "max", true, or false)'
    )


def _format(value: Any) -> str | dict[str, Any] | None:
    if value in (None, ""):
        return None
    if value == "json" or isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    said = json.dumps(json.dumps(value))
    raise RefusedError(400, f'invalid format: {said}; expected "json" or a valid JSON Schema object')


def _options(body: dict[str, Any]) -> dict[str, Any]:
    options = field(body, "options", dict, {})
    for names, kind, word in ((_WHOLE_OPTIONS, int, "integer"), (_NUMBER_OPTIONS, float, "float32")):
        for name in names:
            try:
                field(options, name, kind, kind())
            except RefusedError:
                raise RefusedError(400, f'option "{name}" must be of type {word}') from None
    return {name: value for name, value in options.items() if value is not None}


def _stops(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    if value is not None and not (found and all(isinstance(item, str) for item in found)) and value != []:
        raise RefusedError(400, 'option "stop" must be of type array')
    return tuple(item for item in found if item)


def _images(encoded: list[str]) -> tuple[bytes, ...]:
    return tuple(_image(item) for item in encoded)


def _image(encoded: str) -> bytes:
    try:
        image = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        image = None
    if image is None or b64encode(image).decode() != encoded:  # Python takes superfluous padding
        raise RefusedError(400, "an image is not valid base64")
    return image

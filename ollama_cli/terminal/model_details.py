"""What a server tells about a model, in sections for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ollama_cli.terminal.model_metadata import value_in_words
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.words import count_in_words

_LINES_OF_TEXT = 2
_BETWEEN = "    "


def show_model(streams: Streams, told: Mapping[str, Any], *, verbose: bool = False) -> None:
    """Print a model's details on stdout.

    Args:
        streams: Where it goes.
        told: The answer of ``/api/show``.
        verbose: Whether its metadata and tensors are shown too.
    """
    from rich.cells import cell_len

    for heading, rows in _sections(told, verbose=verbose):
        if not rows:
            continue
        streams.answer(f"  {heading}")
        columns = range(max(map(len, rows)))
        widths = [max(cell_len(row[column]) for row in rows if column < len(row)) for column in columns]
        for row in rows:
            cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=False))
            streams.answer(f"{_BETWEEN}{_BETWEEN.join(cells)}".rstrip())
        streams.answer("")


def _sections(told: Mapping[str, Any], *, verbose: bool) -> Iterator[tuple[str, list[list[str]]]]:
    yield "Model", _facts(told)
    yield "Capabilities", [[_text(word)] for word in _list(told.get("capabilities"))]
    yield "Projector", _projector(_object(told.get("projector_info")))
    yield "Parameters", [_text(line).split(maxsplit=1) for line in _text_lines(told.get("parameters"))]
    if verbose:
        yield "Metadata", [[_text(name), value_in_words(value)] for name, value in _sorted(told.get("model_info"))]
        yield "Tensors", [_tensor(tensor) for tensor in map(_object, _list(told.get("tensors"))) if tensor]
    for name in ("system", "license"):
        lines = _text_lines(told.get(name))
        more = [["..."]] if len(lines) > _LINES_OF_TEXT else []
        yield name.capitalize(), [[_text(line)] for line in lines[:_LINES_OF_TEXT]] + more


def _facts(told: Mapping[str, Any]) -> list[list[str]]:
    info, details = _object(told.get("model_info")), _object(told.get("details"))
    architecture = info.get("general.architecture") or details.get("family")
    return _known(
        {
            "Remote model": told.get("remote_model"),
            "Remote URL": told.get("remote_host"),
            "architecture": architecture,
            "parameters": details.get("parameter_size") or _count(info.get("general.parameter_count")),
            "context length": info.get(f"{architecture}.context_length"),
            "embedding length": info.get(f"{architecture}.embedding_length"),
            "quantization": details.get("quantization_level"),
            "requires": told.get("requires"),
        }
    )


def _projector(info: Mapping[str, Any]) -> list[list[str]]:
    """What turns images or sounds into what the model reads."""
    architecture = info.get("general.architecture")

    def of_either(name: str) -> object:
        return info.get(f"{architecture}.vision.{name}") or info.get(f"{architecture}.audio.{name}")

    return _known(
        {
            "architecture": architecture,
            "parameters": _count(info.get("general.parameter_count")),
            "embedding length": of_either("embedding_length"),
            "dimensions": of_either("projection_dim"),
        }
    )


def _known(facts: Mapping[str, object]) -> list[list[str]]:
    return [[name, _text(value)] for name, value in facts.items() if value]


def _count(value: object) -> str:
    return count_in_words(value) if isinstance(value, int) else ""


def _sorted(value: object) -> list[tuple[str, Any]]:
    return sorted(_object(value).items())


def _tensor(tensor: Mapping[str, Any]) -> list[str]:
    shape = " ".join(_text(size) for size in _list(tensor.get("shape")))
    return [_text(tensor.get("name")), _text(tensor.get("type")), f"[{shape}]"]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return clean_line(str(value))


def _text_lines(value: object) -> list[str]:
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else []

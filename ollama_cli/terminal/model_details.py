"""What a server tells about a model, in sections for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams

_LINES_OF_TEXT = 2
_BETWEEN = "    "


def show_model(streams: Streams, told: Mapping[str, Any]) -> None:
    """Print a model's details on stdout.

    Args:
        streams: Where it goes.
        told: The answer of ``/api/show``.
    """
    for heading, rows in _sections(told):
        if not rows:
            continue
        streams.answer(f"  {heading}")
        widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(max(map(len, rows)))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
            streams.answer(f"{_BETWEEN}{_BETWEEN.join(cells)}".rstrip())
        streams.answer("")


def _sections(told: Mapping[str, Any]) -> Iterator[tuple[str, list[list[str]]]]:
    yield "Model", _facts(told)
    yield "Capabilities", [[_text(word)] for word in _list(told.get("capabilities"))]
    yield "Parameters", [_text(line).split(maxsplit=1) for line in _text_lines(told.get("parameters"))]
    for name in ("system", "license"):
        lines = _text_lines(told.get(name))
        more = [["..."]] if len(lines) > _LINES_OF_TEXT else []
        yield name.capitalize(), [[_text(line)] for line in lines[:_LINES_OF_TEXT]] + more


def _facts(told: Mapping[str, Any]) -> list[list[str]]:
    info = told.get("model_info")
    info = info if isinstance(info, dict) else {}
    details = told.get("details")
    details = details if isinstance(details, dict) else {}
    architecture = info.get("general.architecture") or details.get("family")
    facts = {
        "remote model": told.get("remote_model"),
        "remote URL": told.get("remote_host"),
        "architecture": architecture,
        "parameters": details.get("parameter_size") or info.get("general.parameter_count"),
        "context length": info.get(f"{architecture}.context_length"),
        "embedding length": info.get(f"{architecture}.embedding_length"),
        "quantization": details.get("quantization_level"),
    }
    return [[name, _text(value)] for name, value in facts.items() if value]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return clean_line(str(value))


def _text_lines(value: object) -> list[str]:
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else []

"""Facts in two columns, for people."""

from __future__ import annotations

from collections.abc import Mapping

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams


def show_facts(streams: Streams, facts: Mapping[str, str | None]) -> None:
    """Print names and values on stdout, a line each, values aligned; a fact without a value is left out."""
    known = {name: value for name, value in facts.items() if value}
    width = max(map(len, known), default=0)
    for name, value in known.items():
        streams.answer(f"{name:<{width}}  {clean_line(value)}")

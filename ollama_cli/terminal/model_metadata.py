"""Values of a model's metadata on a line each, long lists cut short."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.words import short_number

_LIST_WIDTH = 10
"""Columns that the shown beginning of a list takes, at most."""


def value_in_words(value: object) -> str:
    """A value as a table shows it.

    >>> value_in_words(["a", "b", "c", "d", "e", "f"])
    '[a b c ...+3 more]'
    """
    if isinstance(value, str):
        return clean_line(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return short_number(value)
    if isinstance(value, list):
        return _list_in_words(value)
    return clean_line(json.dumps(value))


def _list_in_words(values: Sequence[object]) -> str:
    from rich.cells import cell_len

    shown: list[str] = []
    width = 1  # of the bracket
    for number, value in enumerate(values):
        text = value_in_words(value)
        width += cell_len(text) + (2 if number else 0)
        if shown and width > _LIST_WIDTH:
            break
        shown.append(text)
    more = [f"...+{len(values) - len(shown)} more"] if len(shown) < len(values) else []
    return f"[{' '.join([*shown, *more])}]"

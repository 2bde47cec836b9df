"""A JSON body written as fields: ``model=tiny``, ``options[seed]=7``, ``messages[][role]=user``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ollama_cli.api.foreign_json import exact_value_of
from ollama_cli.errors import UsageError

_NAME = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])*")
_MOST_STEPS = 100
_STEP = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")


def body_of_fields(raw: Sequence[str], typed: Sequence[str], read_text: Callable[[str], str]) -> dict[str, Any]:
    """The object that fields describe.

    Args:
        raw: ``NAME=VALUE``, whose values are text.
        typed: ``NAME=VALUE``, whose values are JSON where they can be read as that, and ``@FILE`` for a file's text.
        read_text: Reads such a file.

    Raises:
        UsageError: One is no field, or contradicts another.
    """
    content: dict[str, Any] = {}
    for field in raw:
        name, value = _split(field)
        _put(content, _steps(name), value, name)
    for field in typed:
        name, value = _split(field)
        _put(content, _steps(name), read_text(value[1:]) if value.startswith("@") else _value(value), name)
    return content


def _split(field: str) -> tuple[str, str]:
    name, equals, value = field.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise UsageError(
            f"{field!r} is not NAME=VALUE.", hint="A NAME may be model, options[seed] or messages[][role]."
        )
    return name, value


def _steps(name: str) -> list[str]:
    """The steps that a name takes, an empty one for the next place in a list."""
    steps = _STEP.findall(name)
    if len(steps) > _MOST_STEPS:
        raise UsageError(f"The field {steps[0]}[… is nested in more than {_MOST_STEPS} others.")
    return steps


def _value(text: str) -> object:
    try:
        return exact_value_of(text)
    except (ValueError, RecursionError):
        return text


def _put(holder: dict[str, Any], steps: list[str], value: object, name: str) -> None:
    """Put a value where steps lead; an empty step is the next place in a list."""
    first, rest = steps[0], steps[1:]
    if not rest:
        if first in holder:
            raise UsageError(f"The field {name} is given twice.")
        holder[first] = value
    elif rest[0]:
        _put(_held(holder.setdefault(first, {}), dict, name), rest, value, name)
    else:
        items = _held(holder.setdefault(first, []), list, name)
        _append(items, rest[1:], value, name)


def _append(items: list[Any], steps: list[str], value: object, name: str) -> None:
    if not steps:
        items.append(value)
        return
    if not steps[0]:
        raise UsageError(f"The field {name} is a list within a list.", hint="Give the outer one as JSON.")
    begun = bool(items) and isinstance(items[-1], dict)
    if not begun or (len(steps) == 1 and steps[0] in items[-1]):  # what an object has already begins the next
        items.append({})
    _put(items[-1], steps, value, name)


def _held(value: Any, kind: type, name: str) -> Any:  # noqa: ANN401 - what a JSON value can be
    if not isinstance(value, kind):
        raise UsageError(f"The field {name} contradicts another one.")
    return value

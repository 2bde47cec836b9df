"""The parameters of a model's runner, with the types that the reference gives them, and the levels of thinking."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TypeAlias

from ollama_cli.errors import UsageError

Value: TypeAlias = "int | float | bool | list[str]"

_INTEGERS = frozenset(
    {
        "num_keep",
        "seed",
        "num_predict",
        "top_k",
        "repeat_last_n",
        "num_ctx",
        "num_batch",
        "num_gpu",
        "main_gpu",
        "num_thread",
        "draft_num_predict",
    }
)
_NUMBERS = frozenset(
    {"top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty"}
)
_SWITCHES = frozenset({"use_mmap"})
_LISTS = frozenset({"stop"})
PARAMETERS = _INTEGERS | _NUMBERS | _SWITCHES | _LISTS

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_LARGEST_INTEGER = 2**63 - 1
_LARGEST_NUMBER = 3.4028234663852886e38  # of the 32 bits that a runner keeps
THINKING_LEVELS = ("low", "medium", "high", "max")


def parse_parameter(name: str, values: Sequence[str]) -> Value:
    """Read the value of a parameter.

    Args:
        name: Its name, such as ``temperature``.
        values: What was given for it; only ``stop`` takes more than one.

    Raises:
        UsageError: There is no such parameter, or a value is of another type.
    """
    if name not in PARAMETERS:
        raise UsageError(f"There is no parameter {name!r}.", hint=f"There are: {', '.join(sorted(PARAMETERS))}.")
    if name in _LISTS:
        return list(values)
    if len(values) != 1:
        raise UsageError(f"{name} takes one value.")
    text = values[0]
    if name in _INTEGERS:
        if re.fullmatch(r"[+-]?[0-9]{1,30}", text) and -_LARGEST_INTEGER - 1 <= int(text) <= _LARGEST_INTEGER:
            return int(text)
        raise UsageError(f"{name} takes a whole number, not {text!r}.")
    if name in _NUMBERS:
        number = _number(text)
        if number is None:
            raise UsageError(f"{name} takes a number, not {text!r}.")
        return number
    switched_on = parse_switch(text)
    if switched_on is None:
        raise UsageError(f"{name} takes true or false, not {text!r}.")
    return switched_on


def parse_assignments(assignments: Sequence[str]) -> dict[str, Value]:
    """Read ``NAME=VALUE`` assignments; ``stop`` may come several times, and a list is made of it.

    Raises:
        UsageError: One is no assignment, names no parameter, comes twice, or has a value of another type.
    """
    given: dict[str, list[str]] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(f"{assignment!r} is not NAME=VALUE.", hint="Such as temperature=0.2.")
        given.setdefault(name.strip(), []).append(value)
    return {name: parse_parameter(name, values) for name, values in given.items()}


def parse_switch(text: str) -> bool | None:
    """Read a word that switches something on or off, as Go reads booleans; None where it is neither."""
    return True if text in _TRUE else False if text in _FALSE else None


def parse_think(text: str) -> bool | str:
    """Read whether, or how much, a model is to think.

    Raises:
        UsageError: It is neither true nor false nor a level.
    """
    if text in {"true", "false"}:
        return text == "true"
    if text in THINKING_LEVELS:
        return text
    raise UsageError(f"{text!r} is no way to think.", hint=f"true, false, {', '.join(THINKING_LEVELS)}.")


def _number(text: str) -> float | None:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    number = float(text)
    return number if math.isfinite(number) and abs(number) <= _LARGEST_NUMBER else None

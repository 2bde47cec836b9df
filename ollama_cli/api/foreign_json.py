"""JSON of others: what a server sends is read so that it can be counted with, all else so that it can be passed on."""

from __future__ import annotations

import json
import math
from typing import Any

_BYTE_ORDER_MARK = "\ufeff"
_MOST_DIGITS = 25
"""Of a whole number, with its sign; more than 64 bits hold, and few enough for any calculation."""

_MOST: int = 10**_MOST_DIGITS


def value_of(text: bytes) -> object:
    """Read one JSON value in UTF-8.

    Raises:
        ValueError: It is none, or it holds a number that is none, such as ``NaN``, or infinite.
        RecursionError: It is nested too deeply.
    """
    return _JSON.decode(text.decode().removeprefix(_BYTE_ORDER_MARK))


def exact_value_of(text: str | bytes) -> Any:  # noqa: ANN401 - what it is shows in reading
    """Read one JSON value that is to be sent or shown again: as JSON's standard has it, and with its whole numbers.

    Raises:
        ValueError: It is none, or holds what could not be written again, such as ``NaN`` or half a character.
        RecursionError: It is nested too deeply.
    """
    content = json.loads(text)
    json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    return content


def finite(text: str) -> float:
    """Read a number as JSON has it; Python's own reader would make an infinity of one that is too large, or of a word.

    Raises:
        ValueError: It is none.
    """
    if math.isfinite(number := float(text)):
        return number
    raise ValueError(text)


def _whole(text: str) -> int:
    """Read a whole number; one so long that nothing has so many is as much as can be counted here."""
    if len(text) <= _MOST_DIGITS:
        return int(text)
    return -_MOST if text.startswith("-") else _MOST


_JSON = json.JSONDecoder(parse_constant=finite, parse_float=finite, parse_int=_whole)

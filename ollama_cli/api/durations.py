"""Durations as Go writes them, which is how Ollama's requests and statistics name them: ``5m0s``, ``1.5s``, ``100ms``.

Libraries for it count in microseconds; the statistics count in nanoseconds.
"""

from __future__ import annotations

import re

from ollama_cli.errors import UsageError

_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 2**63 - 1
_LONGEST_TEXT = 200
"""Characters of a duration; Python reads no number of thousands of digits."""


def parse_duration(text: str) -> int:
    """Read a duration.

    Args:
        text: Numbers with their units, such as ``5m`` or ``1h30m``; or ``0``. A sign may stand in front.

    Returns:
        Nanoseconds.

    Raises:
        UsageError: It is none, or longer than Go can count.
    """
    from fractions import Fraction

    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total, position = Fraction(0), 0
    while len(rest) <= _LONGEST_TEXT and (found := _PART.match(rest, position)):
        total += Fraction(found[1]) * _NANOSECONDS[found[2]]
        position = found.end()
    if not rest or position != len(rest) or total > _LONGEST:
        raise UsageError(f"{text!r} is no duration.", hint="Such as 30s, 5m or 1h30m; 0 is none at all.")
    return sign * int(total)


def format_duration(nanoseconds: int) -> str:
    """Write a duration, as short as Go does.

    >>> format_duration(1_234_567_890), format_duration(300 * 10**9)
    ('1.23456789s', '5m0s')
    """
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest == 0:
        return "0s"
    for unit in ("ns", "µs", "ms"):
        if rest < _NANOSECONDS[unit] * 1000:
            return f"{sign}{_decimal(rest, _NANOSECONDS[unit])}{unit}"
    minutes, rest = divmod(rest, _NANOSECONDS["m"])
    hours, minutes_left = divmod(minutes, 60)
    front = (f"{hours}h" if hours else "") + (f"{minutes_left}m" if minutes else "")
    return f"{sign}{front}{_decimal(rest, _NANOSECONDS['s'])}s"


def _decimal(count: int, unit: int) -> str:
    whole, rest = divmod(count, unit)
    digits = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)

"""Sizes, counts and times in words, as the tables of the reference have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "KB"))
_YEAR = 24 * 365  # hours
_FOREVER = -20  # years


def size_in_words(size: int) -> str:
    """A number of bytes, in decimal units.

    >>> size_in_words(4_661_224_676)
    '4.7 GB'
    """
    for factor, unit in _UNITS:
        if size >= factor:
            value = size / factor
            whole = value >= 10 or value == int(value)  # noqa: PLR2004 - two digits are enough
            return f"{int(value)} {unit}" if whole else f"{value:.1f} {unit}"
    return f"{size} B"


def count_in_words(count: int) -> str:
    """A large number, such as that of a model's parameters.

    >>> count_in_words(1_235_814_432), count_in_words(621_000_000)
    ('1.2B', '621M')
    """
    for factor, unit, digits in ((10**9, "B", 1), (10**6, "M", 2)):
        if count >= factor:
            return f"{count / factor:.{0 if count % factor == 0 else digits}f}{unit}"
    return f"{count / 1000:.0f}K" if count >= 1000 else str(count)  # noqa: PLR2004 - a thousand


def short_number(value: float) -> str:
    """A number in as few digits as tell it apart, and with an exponent where it is large or close to zero.

    >>> short_number(131072), short_number(1_235_814_432), short_number(0.00001)
    ('131072', '1.235814432e+09', '1e-05')
    """
    exact = Decimal(repr(float(str(value)))).normalize()
    if -5 < exact.adjusted() < 6:  # noqa: PLR2004 - where the reference's language changes to an exponent
        return f"{exact:f}"
    return f"{float(exact):.{len(exact.as_tuple().digits) - 1}e}"


def time_in_words(moment: datetime | None, *, now: datetime | None = None) -> str:
    """How long ago something was, or how far away it is; "Never" where there is no time."""
    if moment is None:
        return "Never"
    gone = (now or datetime.now(UTC)) - moment
    if int(gone.total_seconds() / 3600 / _YEAR) < _FOREVER:
        return "Forever"
    return f"{_duration(-gone)} from now" if gone < timedelta() else f"{_duration(gone)} ago"


def moment_of(text: str) -> datetime | None:
    """The time that RFC 3339 text names; None where it names none, or Go's zero time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if moment.year > 1 else None


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    minutes = seconds // 60
    if minutes < 60:  # noqa: PLR2004 - an hour
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    return _long_duration(span.total_seconds() / 3600)


def _long_duration(exact_hours: float) -> str:
    hours = int(exact_hours + 0.5)
    if hours == 1:
        return "About an hour"
    for limit, length, unit in ((48, 1, "hours"), (24 * 14, 24, "days"), (24 * 60, 24 * 7, "weeks")):
        if hours < limit:
            return f"{hours // length} {unit}"
    return f"{hours // 24 // 30} months" if hours < _YEAR * 2 else f"{int(exact_hours) // 24 // 365} years"

"""What is searched for in kept chats, and the part of a message that shows it.

The messages are read one after the other. An index of their words would be faster where there are very many, but it
would know other words than a person does (none within Chinese, for one), and keep those of chats that were removed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_BEFORE, _AFTER = 30, 60


@dataclass(frozen=True)
class Pattern:
    """A text that is searched for: as it stands, but in upper or lower case, and with any blanks between its words."""

    compiled: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> Pattern:
        """The pattern for a text; every character in it means itself."""
        words = unicodedata.normalize("NFC", text).split()
        return cls(re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE))

    @staticmethod
    def snippet(patterns: Sequence[Pattern], text: str) -> str | None:
        """The part of a text around the first of the patterns, on one line; None where one of them is not in it."""
        text = unicodedata.normalize("NFC", text)
        first: re.Match[str] | None = None
        for pattern in patterns:
            found = pattern.compiled.search(text)
            if found is None:
                return None
            if first is None or found.start() < first.start():
                first = found
        if first is None:
            return None
        start, end = max(first.start() - _BEFORE, 0), min(first.end() + _AFTER, len(text))
        part = " ".join(text[start:end].split())
        return f"{'…' if start else ''}{part}{'…' if end < len(text) else ''}"

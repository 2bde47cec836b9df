"""Names that others chose, made fit to be shown to a person who decides by them."""

from __future__ import annotations

import unicodedata

LONGEST_SHOWN = 64
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def visible(name: str) -> str:
    """A name on one line, at most 64 characters long, whose invisible characters can be seen.

    Control characters, and those that turn the direction of a text around, stand as their code point: a device must
    not be able to look like another one, or like a part of the page.
    """
    text = name.strip()
    shown = "".join(_shown(char) for char in text[:LONGEST_SHOWN])
    return f"{shown}…" if len(text) > LONGEST_SHOWN else shown


def _shown(char: str) -> str:
    """A character, or its code point where it could not be seen; any other space is a plain one."""
    if char in _BLANK_LETTERS or unicodedata.category(char) in _HIDDEN:
        return f"⟨U+{ord(char):04X}⟩"
    return " " if char.isspace() else char

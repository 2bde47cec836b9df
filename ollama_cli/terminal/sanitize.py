"""Control sequences taken out of foreign text before a terminal sees it, also when they are split between chunks.

A model's answer, a name or a server's message could otherwise move the cursor, change the title, write to the
clipboard, or hide what a person is asked to agree to.
"""

from __future__ import annotations

import re

# What may follow ESC, up to its end: CSI; a string (OSC, DCS, SOS, PM, APC) up to ST or BEL; or one final character.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[\x20-\x3f]*[\x40-\x7e]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[\x20-\x2f]*[\x30-\x4f\x51-\x57\x59\x5a\x5c\x60-\x7e]"
)
_BEGINNING = re.compile(
    r"(?:\x1b\[|\x9b)[\x20-\x3f]*\Z|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*\x1b?\Z|\x1b[\x20-\x2f]*\Z"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONGEST_SEQUENCE = 4096


class Sanitizer:
    """Cleans a text that comes in pieces."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """The clean form of the next piece; the beginning of a sequence is held back until its end is known."""
        text = _SEQUENCE.sub("", self._held + text)
        beginning = _BEGINNING.search(text)
        self._held = ""
        if beginning and len(text) - beginning.start() <= _LONGEST_SEQUENCE:
            self._held = text[beginning.start() :]
            text = text[: beginning.start()]
        return _CONTROLS.sub("", text)

    def end(self) -> str:
        """What was held back and turned out to be no sequence, without its control characters."""
        rest, self._held = self._held, ""
        return _CONTROLS.sub("", rest) if not rest.startswith(("\x1b", "\x9b", "\x9d", "\x90")) else ""


def clean(text: str) -> str:
    """A whole text without control sequences; its lines stay."""
    sanitizer = Sanitizer()
    return sanitizer.feed(text) + sanitizer.end()


def clean_line(text: str) -> str:
    """A foreign text to stand in a line of ours: no control sequences, no line ends, no change of direction."""
    return _ONE_LINE.sub("", _SEQUENCE.sub("", text))

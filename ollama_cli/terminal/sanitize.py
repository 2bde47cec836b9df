"""Control sequences taken out of foreign text before a terminal sees it, also when they are split between chunks.

A model's answer, a name or a server's message could otherwise move the cursor, change the title, write to the
clipboard, or hide what a person is asked to agree to.
"""

from __future__ import annotations

import re

# A sequence: CSI; a string (OSC, DCS, SOS, PM, APC) up to BEL, ST, or CAN or SUB, which break it off; or ESC and one
# final character. A text is read once from left to right, and every pattern is decided by what follows its first
# character within bounds: so it makes no difference where a text is cut.
_CSI = r"(?:\x1b\[|\x9b)[\x20-\x3f]{0,256}"
_STRING = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x18\x1a\x1b\x80-\x9f]{0,4096}"
_ESCAPE = r"\x1b[\x20-\x2f]{0,16}"
# C0 without tab and line feed, DEL, C1; and what changes the direction of all that follows on its line.
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
_FOREIGN = (  # is compiled, and kept by `re`, when there is the first: nearly no start of a command has one
    rf"{_CSI}[\x40-\x7e]|{_STRING}(?:[\x07\x18\x1a\x9c]|\x1b\\)|{_ESCAPE}[\x30-\x4f\x51-\x57\x59\x5a\x5c\x60-\x7e]"
    rf"|(?P<beginning>(?:{_CSI}|{_STRING}\x1b?|{_ESCAPE})\Z)"
    rf"|{_CONTROL}"
)
_CONTROLS = re.compile(_CONTROL)
_ONE_LINE = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"


class Sanitizer:
    """Cleans a text that comes in pieces; what is no whole sequence loses its control characters only."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """The clean form of the next piece; the beginning of a sequence is held back until its end is known."""
        if not self._held and not _CONTROLS.search(text):  # nearly every piece of every answer
            return text
        text, self._held = self._held + text, ""
        return re.sub(_FOREIGN, self._take, text)

    def _take(self, match: re.Match[str]) -> str:
        self._held = match["beginning"] or ""  # a beginning reaches to the end of the text: it is the last match
        return ""

    def end(self) -> str:
        """What was held back and turned out to be no sequence, without its control characters."""
        rest, self._held = self._held, ""
        return _CONTROLS.sub("", rest)


def clean(text: str) -> str:
    """A whole text without control sequences; its lines stay."""
    sanitizer = Sanitizer()
    return sanitizer.feed(text) + sanitizer.end()


def clean_line(text: str) -> str:
    """A foreign text to stand in a line of ours: no control sequences, no line ends, no change of direction."""
    return re.sub(_ONE_LINE, "", clean(text))

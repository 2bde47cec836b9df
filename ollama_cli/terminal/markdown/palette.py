"""What the parts of a text look like: a few of a terminal's own colours, and never a background.

The terminal's owner has chosen these colours to be readable on the background, light or dark. Black, white, yellow and
the bright ones are readable on one of the two only.
"""

from __future__ import annotations

from dataclasses import dataclass

BOLD, ITALIC, UNDERLINE, STRUCK = "1", "3", "4", "9"
_DIM, _RED, _GREEN, _BLUE, _MAGENTA, _CYAN = "2", "31", "32", "34", "35", "36"

PLAIN = ""
"""No style. A style is the parameters of one SGR sequence, such as ``1;35``."""


@dataclass(frozen=True)
class Palette:
    """The styles that need colours; without them the marks of code stay, so that it can still be told from text.

    Attributes:
        color: Whether there are colours. Bold, italic and underlined are none.
    """

    color: bool

    @property
    def marker(self) -> str:
        """Bullets, numbers, and the marks of quotations."""
        return _DIM if self.color else PLAIN

    @property
    def code(self) -> str:
        """Code in a line of text."""
        return _CYAN if self.color else PLAIN

    @property
    def address(self) -> str:
        """Where a link leads."""
        return _BLUE if self.color else PLAIN

    @property
    def tokens(self) -> dict[str, str]:
        """Parts of a program, by the names that Pygments has for them."""
        return _TOKENS if self.color else {}


def joined(style: str, more: str) -> str:
    """Both styles at once."""
    return ";".join(filter(None, (style, more)))


_TOKENS = {
    "Token.Comment": _DIM,
    "Token.Comment.Preproc": _MAGENTA,
    "Token.Keyword": _MAGENTA,
    "Token.Keyword.Type": _CYAN,
    "Token.Operator.Word": _MAGENTA,
    "Token.Name.Builtin": _CYAN,
    "Token.Name.Function": _BLUE,
    "Token.Name.Class": joined(BOLD, _BLUE),
    "Token.Name.Decorator": _CYAN,
    "Token.Name.Tag": _MAGENTA,
    "Token.Name.Attribute": _CYAN,
    "Token.Name.Variable": _CYAN,
    "Token.Literal.String": _GREEN,
    "Token.Literal.Number": _RED,
    "Token.Generic.Heading": BOLD,
    "Token.Generic.Deleted": _RED,
    "Token.Generic.Inserted": _GREEN,
}

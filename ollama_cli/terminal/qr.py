"""A link as a QR code, for a person whose browser is on a telephone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from ollama_cli.terminal.streams import Streams, terminal_size

_QUIET_ZONE = 4
"""Light modules around a code, which scanners need to find it."""

_BLACK_ON_WHITE, _PLAIN = "\x1b[38;5;16;48;5;231m", "\x1b[0m"  # of the 256 colours: themes leave these alone
_INK = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def show_qr(streams: Streams, link: str) -> None:
    """Draw a link on stderr as a QR code, two modules a character.

    Black on white, so that it can be read on dark and on light terminals. Without colours its light modules are drawn,
    which is right on a dark background. A code that is wider than the terminal would be cut up, so that is said
    instead.
    """
    import segno

    try:
        code = segno.make(link, error="l", micro=False)
    except segno.DataOverflowError:
        streams.say("The link is too long for a QR code.")
        return
    colored = streams.color and streams.err.isatty()
    rows = [[bool(module) == colored for module in row] for row in code.matrix_iter(border=_QUIET_ZONE)]
    columns, lines = terminal_size(streams.err) or (0, 0)
    if columns and columns < len(rows[0]):
        streams.say(f"The terminal is too narrow for the QR code: it takes {len(rows[0])} columns, and has {columns}.")
        return
    drawn = _half_blocks(rows)
    for line in drawn:
        streams.say(f"{_BLACK_ON_WHITE}{line}{_PLAIN}" if colored else line)
    if lines and lines < len(drawn):
        streams.say(f"To see the whole QR code, make the terminal {len(drawn)} lines high, or the type smaller.")


def _half_blocks(rows: Sequence[Sequence[bool]]) -> list[str]:
    """Lines of text in which each character shows a module, inked or not, above another."""
    nothing = [False] * len(rows[0])
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=nothing)
    return ["".join(_INK[modules] for modules in zip(above, below, strict=True)) for above, below in pairs]

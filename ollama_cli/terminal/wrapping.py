"""Word wrap for a text that arrives in pieces and is shown as it arrives.

A line ends between words, a few columns before the terminal's edge. A word is shown as soon as a part of it is there;
where its rest no longer fits, what is shown of it is taken back and the whole word begins the next line. A word that is
longer than a line begins a line and runs on over the edge, so that a terminal still takes it for one word, such as a
link. Between wide characters, as of Chinese or emoji, a line may end anywhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

MARGIN = 5
"""Columns at the right that are left free, as in the reference."""

NARROWEST = 10
"""Columns below which nothing is wrapped."""

_TAB_STOP = 8
_LONGEST_WORD = 1024  # characters that can still be taken back; a line of more holds mostly invisible ones
_LONGEST_CLUSTER = 32
_PIECES = re.compile(r"\n|[ \t]+|[^ \t\n]+")
SINGLE_CELLS = re.compile(  # what takes one cell each and never joins what stands before it
    r"[\x21-\x7e\xa1-\xac\xae-\u02ff\u0391-\u03a1\u03a3-\u03ff\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u203b]+"
)


class Wrapper:
    """Wraps one text.

    Args:
        columns: Gives the terminal's width, 0 where it has none; it is asked anew for every piece.
    """

    def __init__(self, columns: Callable[[], int]) -> None:
        self._columns = columns
        self._width = 0
        self._limit = math.inf
        self._column = 0
        self._output: list[str] = []
        # The word that is being written. Only of one that may still move is kept more than its last cluster.
        self._in_word = self._movable = self._ends_wide = False
        self._word, self._word_cells = "", 0
        self._shown, self._shown_cells = 0, 0  # characters and cells of it that are on the screen
        self._cluster = ""  # what a person sees as its last character; the next piece may add to it

    def feed(self, text: str) -> str:
        """What to write for the next piece of a text, which holds no control characters but line feeds and tabs."""
        self._measure()
        for piece in _PIECES.findall(text):
            if piece == "\n":
                self._end_word()
                self._output.append("\n")
                self._column = 0
            elif piece[0] in " \t":
                self._put_blanks(piece)
            elif SINGLE_CELLS.fullmatch(piece):
                self._put(piece, len(piece))
                self._cluster = piece[-1]
            else:
                self._put_clusters(piece)
        self._show_word()
        output = "".join(self._output)
        self._output.clear()
        return output

    def _measure(self) -> None:
        width = self._columns()
        if width != self._width:
            self._width, self._limit = width, width - MARGIN if width >= NARROWEST else math.inf
            self._fix_word()  # a terminal that was resized may have moved it by itself
            self._return_from_edge()

    def _put_blanks(self, blanks: str) -> None:
        if self._movable and self._column + 1 > self._limit:
            self._move_word()
        self._end_word()
        for blank in blanks:
            cells = 1 if blank == " " else _TAB_STOP - self._column % _TAB_STOP
            if self._column + cells > self._limit:  # at the end of a line nobody sees it; the next starts without
                self._column = max(self._column, int(self._limit))
                return
            self._output.append(blank)
            self._column += cells

    def _put_clusters(self, piece: str) -> None:
        """Put characters of any script; those that the piece begins with may belong to the last one before it."""
        from wcwidth import iter_graphemes, wcswidth

        before, cells_before = self._cluster, wcswidth(self._cluster)
        for cluster in iter_graphemes(before + piece):
            if cluster != before:
                cells = wcswidth(cluster)
                self._put(cluster[len(before) :], cells - cells_before, wide=cells > 1, joins=bool(before))
            before, cells_before = "", 0
            self._cluster = cluster[-_LONGEST_CLUSTER:]

    def _put(self, text: str, cells: int, *, wide: bool = False, joins: bool = False) -> None:
        if self._ends_wide and not joins:
            self._end_word()
        if not self._in_word:
            if not cells:  # such as a joiner: a terminal has it in the cell before, from where it is not taken back
                self._output.append(text)
                return
            self._in_word, self._movable = True, self._column > 0
        self._ends_wide = wide
        self._column += cells
        if not self._movable:
            self._output.append(text)
            return
        self._word += text
        self._word_cells += cells
        if self._column - wide > self._limit:  # a wide character may stand out by one column, as in the reference
            self._move_word()
        elif wide or len(self._word) > _LONGEST_WORD:
            self._fix_word()

    def _move_word(self) -> None:
        """Take back what is shown of the word, and have the whole of it begin the next line."""
        if self._shown_cells:
            self._output.append(f"\x1b[{self._shown_cells}D\x1b[K")
        self._output.append("\n")
        self._column, self._shown = self._word_cells, 0
        self._fix_word()

    def _fix_word(self) -> None:
        """Leave the word where it is."""
        self._show_word()
        self._movable = False
        self._word, self._word_cells, self._shown, self._shown_cells = "", 0, 0, 0

    def _show_word(self) -> None:
        self._output.append(self._word[self._shown :])
        self._shown, self._shown_cells = len(self._word), self._word_cells

    def _end_word(self) -> None:
        self._fix_word()
        self._in_word = self._ends_wide = False
        self._cluster = ""
        self._return_from_edge()

    def _return_from_edge(self) -> None:
        """Count the columns of the last row only of a word that ran over the edge."""
        if self._column > self._width > 0:
            self._column = (self._column - 1) % self._width + 1

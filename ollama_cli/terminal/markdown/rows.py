"""Rows of a screen: styled text, how many columns and lines it takes, and lines that end between words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from wcwidth import iter_graphemes, wcswidth, wcwidth

from ollama_cli.terminal.markdown.palette import PLAIN
from ollama_cli.terminal.wrapping import SINGLE_CELLS

Span = tuple[str, str]
"""A text and its style."""

_TAB_STOP = 8
_PIECES = re.compile(r"\n|[ \t]+|[^ \t\n]+")
_BLANKS = re.compile(r" +")
_WIDE_CELLS = re.compile(  # what takes two cells each and never joins what stands before it
    r"[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\u3001-\u3011\uff01-\uff5e]+"
)


def cells_of(text: str) -> int:
    """How many columns a text without tabs takes."""
    cells = simple_cells(text)
    return sum(cells for _, cells in _clusters(text)) if cells is None else cells


def simple_cells(text: str) -> int | None:
    """The same for a text of characters that never join what stands before them; None for any other."""
    without_blanks = _BLANKS.sub("", text)
    without_wide = _WIDE_CELLS.sub("", without_blanks)
    if without_wide and not SINGLE_CELLS.fullmatch(without_wide):
        return None
    return len(text) + len(without_blanks) - len(without_wide)


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """What a person takes for characters, each with its columns."""
    for cluster in iter_graphemes(text):
        yield cluster, _cells_of_cluster(cluster)


@lru_cache(maxsize=4096)
def _cells_of_cluster(cluster: str) -> int:
    """Its columns; as many as its parts take, where a terminal that does not join them needs more."""
    return max(wcswidth(cluster), sum(max(wcwidth(part), 0) for part in cluster))


@dataclass(frozen=True)
class Row:
    """A line of ours; where it is longer than the terminal is wide, the terminal shows it in several.

    Attributes:
        spans: Its text, neighbours of the same style joined.
        cells: How many columns it takes, tabs not counted.
    """

    spans: tuple[Span, ...] = ()
    cells: int = 0

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Row:
        """A row of these spans."""
        row = cls()
        for text, style in spans:
            row = row.plus(text, style)
        return row

    def plus(self, text: str, style: str, cells: int | None = None) -> Row:
        """The row with more text at its end."""
        if not text:
            return self
        cells = self.cells + (cells_of(text) if cells is None else cells)
        if self.spans and self.spans[-1][1] == style:
            return Row((*self.spans[:-1], (self.spans[-1][0] + text, style)), cells)
        return Row((*self.spans, (text, style)), cells)

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(text for text, _ in self.spans)

    def ansi(self) -> str:
        """What to write."""
        return "".join(map(styled, self.spans))

    def addition_to(self, other: Row) -> str | None:
        """What to write at the end of another row to have this one; None where that is not all."""
        count = len(other.spans)
        if not count or len(self.spans) < count or self.spans[: count - 1] != other.spans[:-1]:
            return None
        (old, old_style), (new, style) = other.spans[-1], self.spans[count - 1]
        if style != old_style or not new.startswith(old):
            return None
        return styled((new[len(old) :], style)) + "".join(map(styled, self.spans[count:]))

    def stripped(self) -> Row:
        """The row without blanks at its end."""
        if not self.spans or not self.spans[-1][0].endswith((" ", "\t")):
            return self
        text, style = self.spans[-1]
        kept = text.rstrip(" \t")
        return Row(self.spans[:-1], self.cells - len(text)).plus(kept, style).stripped()

    def height(self, width: int) -> int:
        """How many lines of a terminal it takes."""
        text = self.text
        if "\t" not in text and self.cells <= width:
            return 1
        lines, column = 1, 0
        for cluster, cells in _clusters(text):
            if cluster == "\t":
                column = min(column - column % _TAB_STOP + _TAB_STOP, width - 1)
            elif column + cells > width:
                lines, column = lines + 1, cells
            else:
                column += cells
        return lines


def styled(span: Span) -> str:
    """What to write for a span."""
    text, style = span
    return f"\x1b[{style}m{text}\x1b[0m" if style and text else text


class Wrapping:
    """Lays spans out in rows that end between words.

    Between wide characters, as of Chinese or emoji, a row may end anywhere. A word that is longer than a row begins one
    and runs on over the edge, so that a terminal still takes it for one word, such as a link.

    Args:
        width: The columns of a row.
        first: What stands in the first row already.
        rest: What every other row begins with.
        begun: Whether ``first`` is text, after which a row may end, and not only a bullet.
        fold: Whether a word that is too long is broken all the same, as in a column of a table.
    """

    def __init__(self, width: float, first: Row, rest: Row, *, begun: bool = False, fold: bool = False) -> None:
        self._width = width
        self._rest = rest
        self._fold = fold
        self._row, self._begun = first, begun
        self._rows: list[Row] = []
        self._word: list[tuple[str, str, int]] = []
        self._blanks: Span = ("", PLAIN)

    def rows(self, spans: Iterable[Span]) -> list[Row]:
        """The rows, without blanks at their ends."""
        for text, style in spans:
            for piece in _PIECES.findall(text):
                if piece[0] in " \t":
                    self._end_word()
                    self._blanks = (self._blanks[0] + piece.expandtabs(1), style)
                elif piece == "\n":
                    self._end_word()
                    self._end_row()
                else:
                    self._put(piece, style)
        self._end_word()
        return [row.stripped() for row in (*self._rows, self._row)]

    def _put(self, piece: str, style: str) -> None:
        if SINGLE_CELLS.fullmatch(piece):
            self._word.append((piece, style, len(piece)))
            return
        for cluster, cells in _clusters(piece):
            if cells > 1:
                self._end_word()
            self._word.append((cluster, style, cells))
            if cells > 1:
                self._end_word()

    def _end_word(self) -> None:
        if not self._word:
            return
        cells = sum(part[2] for part in self._word)
        blanks, blank_style = self._blanks
        if self._begun and self._row.cells + len(blanks) + cells > self._width:
            self._end_row()
        elif self._begun:
            self._row = self._row.plus(blanks, blank_style, len(blanks))
        self._blanks = ("", PLAIN)
        for text, style, part_cells in self._word:
            if self._fold and self._row.cells + part_cells > self._width:
                self._put_folded(text, style)
            else:
                self._row = self._row.plus(text, style, part_cells)
        self._word, self._begun = [], True

    def _put_folded(self, text: str, style: str) -> None:
        for cluster, cells in _clusters(text):
            if self._row.cells > self._rest.cells and self._row.cells + cells > self._width:
                self._end_row()
            self._row = self._row.plus(cluster, style, cells)

    def _end_row(self) -> None:
        self._rows.append(self._row)
        self._row, self._begun, self._blanks = self._rest, False, ("", PLAIN)

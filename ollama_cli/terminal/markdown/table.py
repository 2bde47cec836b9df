"""Tables: columns that stand under each other, without lines between them."""

from __future__ import annotations

from dataclasses import dataclass

from ollama_cli.terminal.markdown.blocks import cells
from ollama_cli.terminal.markdown.inline import spans_of
from ollama_cli.terminal.markdown.palette import BOLD, PLAIN, UNDERLINE, joined
from ollama_cli.terminal.markdown.rows import Row, Span, Wrapping, cells_of
from ollama_cli.terminal.markdown.setting import Setting
from ollama_cli.terminal.markdown.structure import Block

_GAP = 2
_NARROWEST = 3


@dataclass(frozen=True)
class _Cell:
    spans: tuple[Span, ...]
    width: int


class Table:
    """A table.

    Its columns are as wide as its rows need, and live, until it fills half of the screen; then they stay, and every
    further row is settled as it ends. The row that has not ended is shown as it is written.

    Args:
        block: What it is.
        setting: What it is laid out for.
        header: Its first line.
    """

    style = PLAIN

    def __init__(self, block: Block, setting: Setting, header: str) -> None:
        self._setting = setting
        self._first, self._rest = setting.prefixes(block)
        self._alignments = [_alignment(cell) for cell in cells(block.delimiters)]
        self._room = max(int(setting.columns) - self._rest.cells, 1)
        self._open: str | None = None
        self._open_cells = 0
        self._settled: tuple[Row, ...] = ()
        self._widths: list[int] | None = None
        self._rows: tuple[tuple[_Cell, ...], ...] = ()
        self._header = True
        self._add(header)

    def begin_line(self, text: str) -> None:
        """Begin a row."""
        self._open, self._open_cells = text, cells_of(text)

    def extend(self, text: str) -> None:
        """Go on in the row."""
        self._open = f"{self._open or ''}{text}"
        self._open_cells += cells_of(text)

    def appended(self, text: str) -> tuple[str, int] | None:
        """Go on in the row, which only adds text as long as it lasts: what it adds, and its columns."""
        added = cells_of(text)
        if not self._open or "\t" in text or self._open_cells + added > self._most_open:
            return None
        self._open += text
        self._open_cells += added
        return text, added

    def end_line(self) -> None:
        """Put the row among the others."""
        if self._open is not None:
            line, self._open = self._open, None
            self._add(line)

    def take(self) -> tuple[Row, ...]:
        """The rows that are settled since this was last asked."""
        rows, self._settled = self._settled, ()
        return rows

    def live(self) -> list[Row]:
        """The rows that may still change."""
        rows = self._layout()
        if self._open is not None:
            shown = self._open if self._open_cells <= self._most_open else f"…{self._open[-self._most_open // 2 :]}"
            rows.append(self._rest.plus(shown.replace("\t", " "), PLAIN))
        return rows

    def close(self) -> None:
        """Settle all."""
        self.end_line()
        self._settled = (*self._settled, *self._layout())
        self._rows = ()

    def restart(self) -> None:
        """Take what is live as settled in the way in which it is shown, and go on in a new row."""
        self._rows, self._widths, self._header, self._first = (), None, False, self._rest
        self._open = None if self._open is None else ""
        self._room = max(int(self._setting.columns) - self._rest.cells, 1)

    @property
    def _most_open(self) -> int:
        """How many columns of the row that has not ended are shown, so that it does not leave the screen."""
        return self._setting.width * max(self._setting.lines // 4, 1)

    def _add(self, line: str) -> None:
        style = joined(BOLD, UNDERLINE) if self._header and not self._rows else PLAIN
        last = len(self._alignments) - 1
        texts = cells(line) + [""] * last
        texts = [*texts[:last], " | ".join(filter(None, texts[last:]))]  # what has no column stands in the last one
        self._rows = (*self._rows, tuple(self._cell(text, style) for text in texts))
        rows = self._layout()
        if self._widths is not None or sum(row.height(self._setting.width) for row in rows) > self._setting.lines // 2:
            self._widths = self._fit() if self._widths is None else self._widths
            self._settled, self._rows, self._first = (*self._settled, *rows), (), self._rest

    def _cell(self, text: str, style: str) -> _Cell:
        spans = tuple(spans_of(text, self._setting.palette, style))
        return _Cell(spans, sum(cells_of(text) for text, _ in spans))

    def _fit(self) -> list[int]:
        """How wide the columns are; where they do not fit, the widest give up what is missing."""
        widths = [max(cell.width for cell in column) for column in zip(*self._rows, strict=True)]
        room = self._room - _GAP * (len(widths) - 1)
        while sum(widths) > room and max(widths) > _NARROWEST:
            widest = max(widths)
            others = max((width for width in widths if width < widest), default=_NARROWEST)
            count = widths.count(widest)
            less = max(1, min(widest - max(others, _NARROWEST), (sum(widths) - room) // count))
            widths = [width - less if width == widest else width for width in widths]
        return widths

    def _layout(self) -> list[Row]:
        if not self._rows:
            return []
        lines = self._stacked if len(self._alignments) * (_NARROWEST + _GAP) - _GAP > self._room else self._side_by_side
        widths = self._fit() if self._widths is None else self._widths
        first, *others = self._rows
        return lines(first, widths, self._first) + [line for row in others for line in lines(row, widths, self._rest)]

    def _stacked(self, row: tuple[_Cell, ...], _: list[int], prefix: Row) -> list[Row]:
        """The lines of a row that has no room for its columns: its cells, one under the other."""
        lines = []
        for cell in row:
            lines += Wrapping(self._room + prefix.cells, prefix, self._rest).rows(cell.spans)
            prefix = self._rest
        return lines

    def _side_by_side(self, row: tuple[_Cell, ...], widths: list[int], prefix: Row) -> list[Row]:
        """The lines of a row, as many as its tallest cell has."""
        columns = [
            Wrapping(width, Row(), Row(), fold=True).rows(cell.spans) for cell, width in zip(row, widths, strict=True)
        ]
        lines = []
        for number in range(max(map(len, columns))):
            line, end = prefix, prefix.cells
            for column, width, alignment in zip(columns, widths, self._alignments, strict=True):
                part = column[number] if number < len(column) else Row()
                if part.spans:
                    line = line.plus(" " * (end - line.cells + int((width - part.cells) * alignment)), PLAIN)
                for text, style in part.spans:
                    line = line.plus(text, style)
                end += width + _GAP
            lines.append(line.stripped())
            prefix = self._rest
        return lines


def _alignment(delimiter: str) -> float:
    """Which share of a cell's empty columns stands before its text."""
    return {(True, True): 0.5, (False, True): 1.0}.get((delimiter.startswith(":"), delimiter.endswith(":")), 0.0)

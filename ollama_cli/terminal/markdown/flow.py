"""Paragraphs and headings: text that flows from row to row."""

from __future__ import annotations

import re

from ollama_cli.terminal.markdown.inline import spans_of
from ollama_cli.terminal.markdown.palette import BOLD, ITALIC, PLAIN, UNDERLINE, joined
from ollama_cli.terminal.markdown.rows import Row, Wrapping, simple_cells
from ollama_cli.terminal.markdown.setting import Setting
from ollama_cli.terminal.markdown.structure import Block

# These may end what was open before; marks of emphasis not where they stand after a blank.
_ENDING = re.compile(r"[`\])>;\\&#\t]|(?<![\s*])\*|(?<![\s_])_|(?<![\s~])~")
_ENDING_WITH_NEXT = re.compile(r"[`\\\]!&\n]\Z|(?<![\s*])\*+\Z|(?<![\s_])_+\Z|(?<![\s~])~+\Z")
_CLOSING_MARKS = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_HEADINGS = {0: PLAIN, 1: joined(BOLD, UNDERLINE), 2: BOLD}
_LONGEST_MARK = 8
_PAIRED = "`*_~"
_OPENING, _CLOSING = "[(", "])"
_FIRST_WIDE = "\u1100"


class Flow:
    """A paragraph or a heading.

    Its text is live as far as what comes later may change it: emphasis or a link may end, a word may have to move. A
    long one is settled in parts, at a blank where nothing is open, so that the live part stays small.

    Args:
        block: What it is.
        setting: What it is laid out for.
    """

    def __init__(self, block: Block, setting: Setting) -> None:
        self._setting = setting
        self._has_closing_marks = block.level > 0
        self.style = _HEADINGS.get(block.level, joined(BOLD, ITALIC))
        self._first, self._rest = setting.prefixes(block)
        self._begun = False  # whether a part of it is settled
        self._source, self._cells = "", 0
        self._settled: tuple[Row, ...] = ()
        self._end: float = 0
        self._laid_out: tuple[str, tuple[Row, ...]] | None = None  # the text that was laid out last, and its rows

    def become(self, block: Block) -> Flow:
        """The same text as a heading."""
        self.style, self._laid_out = _HEADINGS[block.level], None
        return self

    @property
    def whole_source(self) -> str | None:
        """All of its text; None if a part of it is settled."""
        return None if self._begun or self._settled else self._source

    def begin_line(self, text: str) -> None:
        """Go on with a line."""
        self.extend(f"\n{text}" if self._source or self._begun else text)

    def end_line(self) -> None:
        """A line of a flowing text ends without a trace until the next one comes."""

    def extend(self, text: str) -> None:
        """Go on in the line."""
        while text:
            fitting = self._fitting(text)
            self._source += text[:fitting]
            self._cells += self._span(text[:fitting])
            text = text[fitting:]
            if text:
                self._settle_part()

    def appended(self, text: str) -> tuple[str, int] | None:
        """Go on in the line where that only adds text to the last row: what it adds, and its columns."""
        source = self._source
        before = source[-_LONGEST_MARK:]
        if not source.strip(" ") or _ENDING_WITH_NEXT.search(before) or _ENDING.search(before + text, len(before)):
            return None
        held = source[len(source.rstrip(" ")) :]
        added = f"{held}{text}".rstrip(" ") if text.strip(" ") else ""
        cells, span = simple_cells(added), self._span(text)
        if cells is None or self._end + cells > self._setting.row_width or span > self._room:
            return None
        self._source += text
        self._cells += span
        self._end += cells
        return added, cells

    def take(self) -> tuple[Row, ...]:
        """The rows that are settled since this was last asked."""
        rows, self._settled = self._settled, ()
        return rows

    def live(self) -> tuple[Row, ...]:
        """The rows that may still change."""
        rows = self._rows(self._source)
        self._end = rows[-1].cells
        return rows

    def close(self) -> None:
        """Settle all."""
        self._settled = (*self._settled, *self._rows(self._source))

    def restart(self) -> None:
        """Take what is live as settled in the way in which it is shown, and go on in a new row."""
        self._source, self._cells, self._first, self._begun = "", 0, self._rest, False
        self._laid_out = None

    def _rows(self, source: str) -> tuple[Row, ...]:
        if self._laid_out is None or self._laid_out[0] != source:
            self._laid_out = source, self._lay_out(source)
        return self._laid_out[1]

    def _lay_out(self, source: str) -> tuple[Row, ...]:
        if self._has_closing_marks:
            source = _CLOSING_MARKS.sub("", source)
        spans = spans_of(source, self._setting.palette, self.style)
        return tuple(Wrapping(self._setting.row_width, self._first, self._rest, begun=self._begun).rows(spans))

    @property
    def _room(self) -> int:
        return self._setting.live_cells - self._cells

    def _span(self, text: str) -> int:
        """Columns that a text takes at most, counted by the character, so that it can be cut anywhere."""
        wide = 0 if text.isascii() else sum(character >= _FIRST_WIDE for character in text)
        return len(text) + wide + text.count("\n") * (self._setting.columns // 2)

    def _fitting(self, text: str) -> int:
        """How many characters there is room for; of an empty text one at least."""
        room = self._room
        if self._span(text) <= room:
            return len(text)
        for position, character in enumerate(text):
            room -= self._span(character)
            if room < 0:
                return position if self._source else max(position, 1)
        return len(text)

    def _settle_part(self) -> None:
        position = _best_end(self._source)
        *rows, last = self._rows(self._source[:position])
        self._begun = last.cells <= self._setting.columns
        self._settled = (*self._settled, *rows) if self._begun else (*self._settled, *rows, last)
        self._first = last if self._begun else self._rest
        self._source, self._laid_out = self._source[position:], None
        self._cells = self._span(self._source)


def _best_end(source: str) -> int:
    """Where to settle a text: at the last blank of its second half where no pair is open, else at its last blank."""
    counts = dict.fromkeys(_PAIRED, 0)
    depth, last, best = 0, 0, 0
    for position, character in enumerate(source):
        if character in " \n":
            last = position
            if depth == 0 and not any(count % 2 for count in counts.values()):
                best = position
        elif character in counts:
            counts[character] += 1
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
    return next((position for position in (best, last) if position > len(source) // 2), len(source))

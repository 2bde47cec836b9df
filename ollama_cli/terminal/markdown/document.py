"""A text in Markdown that arrives in pieces, as a person reads it at a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TextIO

from ollama_cli.terminal.markdown.blocks import read_line
from ollama_cli.terminal.markdown.flow import Flow
from ollama_cli.terminal.markdown.live import LiveRows
from ollama_cli.terminal.markdown.page import Page
from ollama_cli.terminal.markdown.palette import Palette
from ollama_cli.terminal.markdown.setting import Setting
from ollama_cli.terminal.markdown.structure import State
from ollama_cli.terminal.sanitize import Sanitizer
from ollama_cli.terminal.streams import terminal_size

_LETTER = re.compile(r"[^\W\d_]")
_NO_FENCE = re.compile(r"[^`~\s]")
_MARKS_ONLY = re.compile(r"[-=+*#>|:`~_\s]*")
_LONGEST_UNDECIDED = 200


class MarkdownText:
    """Lays out Markdown as it arrives.

    What has ended is written once. Only the end of the text is live, which is never more than the screen holds: it is
    written anew where what comes next changes it. Most pieces only add to a row, and cost no more than their length.

    A line is *decided* as soon as nothing that may follow in it can make another kind of line of it; mostly that is at
    its first letter. Before, it is only tried out.

    Args:
        stream: The terminal.
        color: Whether there are colours.
        wrap: Whether lines end between words.
    """

    def __init__(self, stream: TextIO, *, color: bool, wrap: bool) -> None:
        self._stream = stream
        self._sanitizer = Sanitizer()
        self._setting = Setting(Palette(color), wrap)
        self._rows = LiveRows(self._setting)
        self._begin()

    def _begin(self) -> None:
        self._page = Page(self._setting)
        self._state = State()
        self._line = ""
        self._decided = False

    def feed(self, text: str) -> str:
        """What to write for the next piece."""
        self._measure()
        text = self._sanitizer.feed(text)
        if not text:
            return ""
        added = self._added_to_row(text) if self._decided and "\n" not in text else None
        if added is not None:
            return added
        self._read(text)
        return "" if self._line and not self._shows_line and "\n" not in text else self._draw()

    def end(self) -> str:
        """What to write for what was held back, and so that the line is ended."""
        self._measure()
        self._read(self._sanitizer.end())
        if self._line or self._decided:
            self._end_line()
        self._page.close()
        written = self._rows.draw(self._page.take(), ()) + self._rows.end()
        self._begin()
        return written

    def _measure(self) -> None:
        size = terminal_size(self._stream)
        if size is None or size == (self._setting.width, self._setting.lines):
            return
        if self._rows.leave():  # where it is now depends on the terminal
            if self._shows_line:
                self._decide(self._line)
            self._page.restart()
        self._setting.width, self._setting.lines = size

    def _added_to_row(self, text: str) -> str | None:
        """What to write for a piece that only adds to the last row; None if it does more."""
        leaf = self._page.leaf
        added = leaf.appended(text) if leaf is not None else None
        return None if leaf is None or added is None else self._rows.append(added[0], leaf.style, added[1])

    def _read(self, text: str) -> None:
        first, *others = text.split("\n")
        self._go_on(first)
        for line in others:
            self._end_line()
            self._go_on(line)

    def _draw(self) -> str:
        page, settled = self._page, self._page.take()
        if self._shows_line:
            page = page.copy()
            page.do(read_line(self._state, self._line)[1])
            return self._rows.draw(settled, [*page.take(), *page.live()])
        return self._rows.draw(settled, page.live())

    @property
    def _shows_line(self) -> bool:
        """Whether of the line that is not decided there is more to see than marks, which may mean nothing or much."""
        return not _MARKS_ONLY.fullmatch(self._line)

    def _go_on(self, text: str) -> None:
        """Go on in the line."""
        if self._decided and self._page.leaf is not None:
            self._page.leaf.extend(text)
            return
        self._decided = False
        self._line += text
        beginning, rest = self._line[:_LONGEST_UNDECIDED], self._line[_LONGEST_UNDECIDED:]
        if self._is_decided(beginning):
            self._decide(beginning)
            if rest:
                self._go_on(rest)

    def _is_decided(self, line: str) -> bool:
        if len(line) == _LONGEST_UNDECIDED:
            return True
        if not _deciding(self._state).search(line):
            return False
        state, steps = read_line(self._state, line)
        return bool(steps) and isinstance(steps[-1], str) and _deciding(state).search(steps[-1]) is not None

    def _decide(self, line: str) -> None:
        if not self._decided:
            self._state, steps = read_line(self._state, line)
            self._page.do(steps)
            self._line, self._decided = "", True

    def _end_line(self) -> None:
        self._decide(self._line)
        if self._page.leaf is not None:
            self._page.leaf.end_line()
        if isinstance(self._page.leaf, Flow) and self._state.single:
            source = self._page.leaf.whole_source
            first_line = self._state.first_line if source is None else source
            self._state = replace(self._state, first_line=first_line, single=source is not None)
        self._decided = False


def _deciding(state: State) -> re.Pattern[str]:
    """What a line has to hold so that it is decided."""
    return _NO_FENCE if state.block is not None and state.block.kind == "code" else _LETTER

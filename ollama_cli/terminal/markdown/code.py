"""Code: its lines as they are, each settled as soon as it ends."""

from __future__ import annotations

from ollama_cli.terminal.markdown.palette import PLAIN
from ollama_cli.terminal.markdown.rows import Row, cells_of
from ollama_cli.terminal.markdown.setting import Setting
from ollama_cli.terminal.markdown.structure import Block


class Code:
    """A block of code.

    So that it can be copied, its lines begin at the terminal's edge, in whatever container it stands, and a long one
    runs on over the other edge, where a terminal knows that it is one line. A line is coloured once it has ended,
    unless it is taller than the screen.

    Args:
        block: What it is.
        setting: What it is laid out for.
    """

    style = PLAIN

    def __init__(self, block: Block, setting: Setting) -> None:
        from ollama_cli.terminal.markdown.highlighting import Highlighter  # a text without code does without

        self._setting = setting
        language, _, _ = block.fence.strip("`~ \t").partition(" ")
        self._highlighter = Highlighter(language, setting.palette)
        mark = block.fence[: len(block.fence) - len(block.fence.lstrip(block.fence[:1]))]
        self._closing = "" if setting.palette.color else mark
        self._open: list[str] | None = None
        bullet = setting.prefixes(block)[0].stripped() if block.fresh else Row()
        self._settled: tuple[Row, ...] = (bullet,) if bullet.spans else ()
        if self._closing:
            self._settled = (*self._settled, Row().plus(block.fence, PLAIN))

    def begin_line(self, text: str) -> None:
        """Begin a line."""
        self._open = [text]

    def extend(self, text: str) -> None:
        """Go on in the line."""
        self._open = [*(self._open or ()), text]

    def appended(self, text: str) -> tuple[str, int] | None:
        """Go on in the line, which only ever adds text: what it adds, and its columns."""
        if not self._open:  # nothing of it is shown
            return None
        self._open.append(text)
        return text, cells_of(text)

    def end_line(self) -> None:
        """Colour the line, and settle it."""
        if self._open is None:
            return
        line, self._open = "".join(self._open), None
        plain = Row().plus(line, PLAIN)
        if plain.height(self._setting.width) >= self._setting.lines:
            self._highlighter.spans(line)
            self._settled = (*self._settled, plain)
        else:
            self._settled = (*self._settled, Row.of(self._highlighter.spans(line)))

    def take(self) -> tuple[Row, ...]:
        """The rows that are settled since this was last asked."""
        rows, self._settled = self._settled, ()
        return rows

    def live(self) -> list[Row]:
        """The line that has not ended."""
        return [] if self._open is None else [Row().plus("".join(self._open), PLAIN)]

    def close(self) -> None:
        """Settle all."""
        self.end_line()
        if self._closing:
            self._settled = (*self._settled, Row().plus(self._closing, PLAIN))

    def restart(self) -> None:
        """Take what is live as settled in the way in which it is shown, and go on in a new row."""
        self._open = None if self._open is None else []

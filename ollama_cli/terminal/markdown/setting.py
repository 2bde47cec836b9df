"""What the blocks of a text are laid out for: the terminal's size and colours."""

from __future__ import annotations

from dataclasses import dataclass

from ollama_cli.terminal.markdown.palette import PLAIN, Palette
from ollama_cli.terminal.markdown.rows import Row
from ollama_cli.terminal.markdown.structure import Block, Container, Quote
from ollama_cli.terminal.wrapping import MARGIN

_MOST_LIVE_CELLS = 480
_SPARE_LINES = 6


@dataclass
class Setting:
    """How a text is laid out.

    Attributes:
        palette: The styles.
        wrap: Whether rows end between words.
        width: The terminal's columns.
        lines: The terminal's lines.
    """

    palette: Palette
    wrap: bool = True
    width: int = 80
    lines: int = 24

    @property
    def columns(self) -> int:
        """How many columns of a row are used: a few are left free, on a narrow terminal fewer."""
        return max(self.width - MARGIN, self.width * 3 // 4, 1)

    @property
    def row_width(self) -> float:
        """Where rows end."""
        return self.columns if self.wrap else float("inf")

    @property
    def live_cells(self) -> int:
        """How many columns of text may be live, so that however it is wrapped it never takes more than the screen."""
        return max(self.columns, min(self.columns * (self.lines - _SPARE_LINES) // 2, _MOST_LIVE_CELLS))

    def prefixes(self, block: Block) -> tuple[Row, Row]:
        """What stands before the first row of a block, and before the others."""
        old = len(block.containers) - block.fresh
        first = "".join(
            container.mark if number >= old else _hanging(container)
            for number, container in enumerate(block.containers)
        )
        return self._prefix(first), self._prefix("".join(map(_hanging, block.containers)))

    def separator(self, containers: tuple[Container, ...]) -> Row:
        """An empty row within containers."""
        return self._prefix("".join(map(_hanging, containers))).stripped()

    def _prefix(self, text: str) -> Row:
        """A prefix, of which the end only is shown where it would leave no room for text."""
        text = text[-(self.columns // 2) :]
        marks = text.lstrip(" ")
        return Row().plus(text[: len(text) - len(marks)], PLAIN).plus(marks, self.palette.marker)


def _hanging(container: Container) -> str:
    return container.mark if isinstance(container, Quote) else " " * len(container.mark)

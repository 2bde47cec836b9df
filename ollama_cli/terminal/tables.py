"""Rows in aligned columns: the same text at a terminal and in a pipe, so that what is seen can be cut and searched."""

from __future__ import annotations

from collections.abc import Sequence

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams

_BETWEEN = "    "


def show_table(streams: Streams, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a line of headings and a line a row on stdout, columns aligned, four spaces between them.

    Args:
        streams: Where it goes.
        headings: The names of the columns.
        rows: What stands in them; control sequences are taken out.
    """
    from rich.cells import cell_len

    lines = [list(headings), *([clean_line(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        streams.answer(_BETWEEN.join(cells).rstrip())

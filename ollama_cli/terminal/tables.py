"""Rows in aligned columns: the same text at a terminal and in a pipe, so that what is seen can be cut and searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ollama_cli.terminal.facts import show_facts
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams, columns

_BETWEEN = "    "


def show_table(
    streams: Streams, headings: Sequence[str], rows: Sequence[Sequence[str]], *, folds: bool = False
) -> None:
    """Print a line of headings and a line a row on stdout, columns aligned, four spaces between them.

    Args:
        streams: Where it goes.
        headings: The names of the columns.
        rows: What stands in them; control sequences are taken out.
        folds: Whether a terminal that is too narrow for a line shows a paragraph a row instead.
    """
    from rich.cells import cell_len

    lines = [list(headings), *([clean_line(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    shown = [
        _BETWEEN.join(cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    if folds and streams.out.isatty() and 0 < columns(streams.out) < max(map(cell_len, shown)):
        _show_paragraphs(streams, headings, rows)
        return
    for text in shown:
        streams.answer(text)


def _show_paragraphs(streams: Streams, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for number, row in enumerate(rows):
        if number:
            streams.answer("")
        show_facts(streams, {name.capitalize(): cell for name, cell in zip(headings, row, strict=True)})

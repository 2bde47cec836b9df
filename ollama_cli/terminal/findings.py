"""What ``doctor`` found, for a person: a line a check, and below it what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams, columns

_LEAST_ROOM = 24
_COLORS = {"ok": "32", "remark": "33", "fault": "1;31"}
_DIM = "2"


@dataclass(frozen=True)
class Line:
    """A check as it is told.

    Attributes:
        verdict: In a word or two.
        name: What was checked.
        message: What was found.
        hint: What to do, in one or more lines, or None.
        link: A link to open, or None.
    """

    verdict: str
    name: str
    message: str
    hint: str | None = None
    link: str | None = None


def show_findings(streams: Streams, lines: Sequence[Line]) -> None:
    """Print checks on stdout; at a terminal the text keeps to its column, elsewhere lines stay whole."""
    first = max((len(line.verdict) for line in lines), default=0) + 2
    second = max((len(line.name) for line in lines), default=0) + 2
    indent, width = first + second, columns(streams.out) if streams.out.isatty() else 0
    narrow = 0 < width < indent + _LEAST_ROOM
    if narrow:  # no columns then
        indent = 2
    for line in lines:
        color = _COLORS.get(line.verdict, _DIM) if streams.color and streams.out.isatty() else None
        head = f"{line.verdict}  {line.name}: " if narrow else f"{line.verdict:<{first}}{line.name:<{second}}"
        told = _laid_out(head + clean_line(line.message), indent, width)
        if color is not None:
            told = f"\x1b[{color}m{line.verdict}\x1b[0m{told.removeprefix(line.verdict)}"
        streams.answer(told)
        for hint in (line.hint or "").splitlines():
            streams.answer(_laid_out(" " * indent + clean_line(hint), indent, width))
        if line.link:
            streams.answer(clean_line(line.link))  # whole, so that it can be clicked and copied


def _laid_out(text: str, indent: int, width: int) -> str:
    if not width:
        return text
    return textwrap.fill(
        text,
        width,
        subsequent_indent=" " * indent,
        drop_whitespace=True,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )

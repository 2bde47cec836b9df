"""What lines of Markdown make: containers, the blocks in them, and what each line does to the block that is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Quote:
    """A block quote.

    Attributes:
        mark: What stands before each of its rows.
    """

    mark: str = "> "


@dataclass(frozen=True)
class Item:
    """An item of a list.

    Attributes:
        kind: The character that all items of its list have: ``-``, ``+``, ``*``, ``.`` or ``)``.
        number: Its number, or None.
        offset: Where its content begins, in columns after that of its container.
    """

    kind: str
    number: int | None
    offset: int

    @property
    def mark(self) -> str:
        """What stands before its first row."""
        return "- " if self.number is None else f"{self.number}{self.kind} "


Container = Quote | Item


@dataclass(frozen=True)
class Block:
    """A block of text that contains no others.

    Attributes:
        kind: What it is.
        containers: What it stands in, from the outside inwards.
        fresh: How many of the last containers begin with it, so that their marks stand before its first row.
        blank: Whether an empty line stands before it.
        level: Of a heading, 1 to 6.
        fence: Of code, the line that began it, or nothing for indented code.
        indent: Of code, the columns before its fence.
        delimiters: Of a table, the line under its header.
    """

    kind: Literal["paragraph", "heading", "code", "table", "rule"]
    containers: tuple[Container, ...] = ()
    fresh: int = 0
    blank: bool = False
    level: int = 0
    fence: str = ""
    indent: int = 0
    delimiters: str = ""


@dataclass(frozen=True)
class Close:
    """The block ends."""


Step = Block | Close | str
"""What a line does, in order: close the block, open one, give it a line. To open a block where one is open turns that
one into it: a paragraph is found to be a heading or the header of a table by the line under it."""


@dataclass(frozen=True)
class State:
    """Where the structure stands after a line.

    Attributes:
        containers: What is open.
        block: The block that the next line may belong to.
        first_line: Of a paragraph; the first that is not empty.
        single: Whether the paragraph has no other line yet.
        blanks: Empty lines at the end, so far.
    """

    containers: tuple[Container, ...] = ()
    block: Block | None = None
    first_line: str = ""
    single: bool = True
    blanks: int = 0

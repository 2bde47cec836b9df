"""Blocks, one after the other: which rows they have, and where an empty row stands between them."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from ollama_cli.terminal.markdown.code import Code
from ollama_cli.terminal.markdown.flow import Flow
from ollama_cli.terminal.markdown.rows import Row
from ollama_cli.terminal.markdown.setting import Setting
from ollama_cli.terminal.markdown.structure import Block, Close, Container, Step
from ollama_cli.terminal.markdown.table import Table

_RULE = "---"
_APART = {"code", "table"}

Leaf = Flow | Code | Table


class Page:
    """The blocks of a text.

    Args:
        setting: What they are laid out for.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.leaf: Leaf | None = None
        self._block: Block | None = None
        self._block_before: Block | None = None
        self._settled: tuple[Row, ...] = ()
        self._between: tuple[Row, ...] = ()  # what stands before the first row of the block that is open

    def copy(self) -> Page:
        """A page to try out on what the next line would do."""
        page = copy.copy(self)
        page.leaf = copy.copy(self.leaf)
        return page

    def do(self, steps: Iterable[Step]) -> None:
        """Do what a line does."""
        for step in steps:
            if isinstance(step, Close):
                self.close()
            elif isinstance(step, Block):
                self._open(step)
            elif self.leaf is not None:
                self.leaf.begin_line(step)

    def close(self) -> None:
        """End the block that is open."""
        if self.leaf is not None:
            self.leaf.close()
            self._collect()
            self.leaf = None

    def take(self) -> tuple[Row, ...]:
        """The rows that are settled since this was last asked."""
        self._collect()
        rows, self._settled = self._settled, ()
        return rows

    def live(self) -> list[Row]:
        """The rows that may still change."""
        rows = self.leaf.live() if self.leaf is not None else []
        return [*self._between, *rows] if rows else []

    def restart(self) -> None:
        """Take what is live as settled in the way in which it is shown, and go on in a new row."""
        if self.leaf is not None and self.leaf.live():
            self._between = ()
            self.leaf.restart()
        self.take()

    def _open(self, block: Block) -> None:
        if self.leaf is not None:
            self._turn_into(block)
            return
        self._block_before, self._block = self._block, block
        self._between = self._separators()
        if block.kind == "code":
            self.leaf = Code(block, self._setting)
        elif block.kind == "rule":
            prefix, _ = self._setting.prefixes(block)
            self._settled = (*self._settled, *self._between, prefix.plus(_RULE, self._setting.palette.marker))
        else:
            self.leaf = Flow(block, self._setting)

    def _turn_into(self, block: Block) -> None:
        if not isinstance(self.leaf, Flow):
            return
        header = self.leaf.whole_source
        if block.kind == "heading":
            self.leaf = self.leaf.become(block)
        elif header is not None:
            self.leaf, self._block = Table(block, self._setting, header), block
            self._between = self._separators()

    def _separators(self) -> tuple[Row, ...]:
        before, block = self._block_before, self._block
        if before is None or block is None:
            return ()
        apart = before.kind in _APART or block.kind in _APART or block.kind == "heading"
        if not (apart or block.blank):
            return ()
        return (self._setting.separator(_common(before.containers, block.containers)),)

    def _collect(self) -> None:
        rows = self.leaf.take() if self.leaf is not None else ()
        if rows:
            self._settled = (*self._settled, *self._between, *rows)
            self._between = ()


def _common(one: tuple[Container, ...], other: tuple[Container, ...]) -> tuple[Container, ...]:
    """The containers in which both stand."""
    count = 0
    while count < min(len(one), len(other)) and one[count] is other[count]:
        count += 1
    return one[:count]

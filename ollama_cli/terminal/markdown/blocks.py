"""The block structure of Markdown, line by line: no line is ever read twice, and none changes what was read before it.

Parsers of Markdown read a whole document. Here one is never whole until the end, and reading it anew at every line
would cost the square of its length. The way through is CommonMark's own, which goes line by line too: find the
containers (quotes, items) that the line goes on with, then those that it begins, then the block that it belongs to.

Left out is what would change text that stands above already, or hide any: link reference definitions and HTML are text,
and blanks between items are shown as they were written. A table is GitHub's.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ollama_cli.terminal.markdown.structure import Block, Close, Container, Item, Quote, State, Step

_RULE = re.compile(r"([-*_])[ \t]*(?:\1[ \t]*){2,}")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_UNDERLINE = re.compile(r"(=+|-+)[ \t]*")
_FENCE = re.compile(r"(`{3,})([^`]*)|(~{3,})(.*)")
_ITEM = re.compile(r"([-+*]|(\d{1,9})([.)]))(?=[ \t]|$)")
_DELIMITERS = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_PIPE = re.compile(r"(?<!\\)\|")
_INDENT_OF_CODE = 4
_TAB_STOP = 4


class _Line:
    """A line, read from the left; tabs go to stops at every fourth column of the whole line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._column = 0

    @property
    def blank(self) -> bool:
        return not self.text.strip(" \t")

    @property
    def content(self) -> str:
        return self.text.lstrip(" \t")

    def indent(self) -> int:
        column = self._column
        for character in self.text:
            if character == " ":
                column += 1
            elif character == "\t":
                column += _TAB_STOP - column % _TAB_STOP
            else:
                break
        return column - self._column

    def skip(self, columns: int) -> None:
        """Go on by so many columns of blanks; of a tab that reaches further, the rest is left as spaces."""
        while columns > 0 and self.text[:1] in {" ", "\t"}:
            cells = 1 if self.text[0] == " " else _TAB_STOP - self._column % _TAB_STOP
            taken = min(cells, columns)
            self.text = " " * (cells - taken) + self.text[1:]
            self._column += taken
            columns -= taken

    def take(self, characters: int) -> None:
        self.text = self.text[characters:]
        self._column += characters


def read_line(state: State, text: str) -> tuple[State, list[Step]]:
    """Read one line, given without its end.

    Returns:
        The state after it, and what it does.
    """
    line = _Line(text)
    matched = _matched(state.containers, line)
    whole = matched == len(state.containers)
    block = state.block
    if block is not None and block.kind == "code" and whole:
        done = _go_on_with_code(state, block, line)
        if done is not None:
            return done
    if line.blank:
        return _end_at_blank(state, matched)
    in_paragraph = whole and block is not None and block.kind == "paragraph" and bool(state.first_line)
    containers = list(state.containers[:matched])
    fresh = _begin_containers(state, line, containers, in_paragraph=in_paragraph)
    if not fresh and block is not None:
        done = _go_on_with_text(state, block, line, whole=whole)
        if done is not None:
            return done
    if not line.content and all(isinstance(container, Quote) for container in containers[matched:]):
        return _end_at_blank(replace(state, containers=tuple(containers)), len(containers))
    return _begin(state, line, tuple(containers), fresh)


def _matched(containers: tuple[Container, ...], line: _Line) -> int:
    """With how many of the open containers the line goes on; it is read so far."""
    for number, container in enumerate(containers):
        if isinstance(container, Item):
            if not line.blank and line.indent() < container.offset:
                return number
            line.skip(container.offset)
        elif not _begins_quote(line):
            return number
        else:
            _take_quote_mark(line)
    return len(containers)


def _begins_quote(line: _Line) -> bool:
    return line.indent() < _INDENT_OF_CODE and line.content.startswith(">")


def _take_quote_mark(line: _Line) -> None:
    line.skip(line.indent())
    line.take(1)
    line.skip(1)


def _go_on_with_code(state: State, block: Block, line: _Line) -> tuple[State, list[Step]] | None:
    if block.fence:
        fence = _FENCE.match(block.fence)
        mark = (fence[1] or fence[3]) if fence is not None else block.fence
        content = line.content.rstrip(" \t")
        if line.indent() < _INDENT_OF_CODE and content.startswith(mark) and not content.strip(mark[0]):
            return replace(state, block=None, blanks=0), [Close()]
        line.skip(min(block.indent, line.indent()))
        return state, [line.text]
    if line.blank:
        return replace(state, blanks=state.blanks + 1), []
    if line.indent() < _INDENT_OF_CODE:
        return None
    line.skip(_INDENT_OF_CODE)
    return replace(state, blanks=0), [*[""] * state.blanks, line.text]


def _end_at_blank(state: State, matched: int) -> tuple[State, list[Step]]:
    closing: list[Step] = [Close()] if state.block is not None else []
    containers = state.containers[:matched]
    if matched == len(state.containers) and state.block is not None and state.block.kind == "paragraph":
        containers = containers if state.first_line else containers[:-1]  # no item begins with two empty lines
    return State(containers, blanks=state.blanks + 1), closing


def _begin_containers(state: State, line: _Line, containers: list[Container], *, in_paragraph: bool) -> int:
    """Add the containers that a line begins; how many they are."""
    matched = len(containers)
    while line.indent() < _INDENT_OF_CODE:
        if line.content.startswith(">"):
            _take_quote_mark(line)
            containers.append(Quote())
            continue
        siblings = state.containers[matched:] if len(containers) == matched else ()
        item = _item(line, siblings, in_paragraph=in_paragraph and len(containers) == matched)
        if item is None:
            break
        containers.append(item)
    return len(containers) - matched


def _item(line: _Line, siblings: tuple[Container, ...], *, in_paragraph: bool) -> Item | None:
    content = line.content
    mark = _ITEM.match(content)
    if mark is None or _RULE.fullmatch(content):
        return None
    empty = not content[mark.end() :].strip(" \t")
    if in_paragraph and (empty or (mark[2] is not None and int(mark[2]) != 1)):
        return None
    indent = line.indent()
    line.skip(indent)
    line.take(mark.end())
    blanks = line.indent()
    if empty or blanks > _INDENT_OF_CODE:
        blanks = 1
    line.skip(blanks)
    kind, number = mark[3] or mark[1], int(mark[2]) if mark[2] is not None else None
    before = siblings[0] if siblings else None
    if isinstance(before, Item) and before.kind == kind and before.number is not None:
        number = before.number + 1
    return Item(kind, number, indent + mark.end() + blanks)


def _go_on_with_text(state: State, block: Block, line: _Line, *, whole: bool) -> tuple[State, list[Step]] | None:
    """Have a line belong to the paragraph or table that is open, if it does."""
    content = line.content
    if block.kind not in {"paragraph", "table"}:
        return None
    if block.kind == "paragraph" and whole and line.indent() < _INDENT_OF_CODE:
        if _UNDERLINE.fullmatch(content) and state.first_line:
            heading = replace(block, kind="heading", level=1 if content[0] == "=" else 2)
            return replace(state, block=None), [heading, Close()]
        if state.single and _begins_table(state.first_line, content):
            table = replace(block, kind="table", delimiters=content)
            return replace(state, block=table), [table]
    if _begins_block(content) if line.indent() < _INDENT_OF_CODE else not state.first_line:
        return None
    if block.kind == "table":
        return (state, [content]) if whole else None
    if content.startswith("|") if whole else not state.first_line:  # what may be a table's header stands alone
        return None
    return replace(state, first_line=state.first_line or content, single=not state.first_line), [content]


def _begins_table(header: str, line: str) -> bool:
    return "|" in header and _DELIMITERS.fullmatch(line) is not None and len(cells(header)) == len(cells(line))


def cells(row: str) -> list[str]:
    """The cells of a table's row."""
    row = row.strip(" \t").removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return [cell.strip(" \t").replace("\\|", "|") for cell in _PIPE.split(row)]


def _begins_block(content: str) -> bool:
    return any(form.fullmatch(content) for form in (_RULE, _FENCE)) or _HEADING.match(content) is not None


def _begin(state: State, line: _Line, containers: tuple[Container, ...], fresh: int) -> tuple[State, list[Step]]:
    """Begin a block."""
    content, indent = line.content, line.indent()
    block = Block("paragraph", containers, fresh, blank=state.blanks > 0)
    text = [content]
    if indent >= _INDENT_OF_CODE and content:
        line.skip(_INDENT_OF_CODE)
        block, text = replace(block, kind="code"), [line.text]
    elif heading := _HEADING.match(content):
        block, text = replace(block, kind="heading", level=len(heading[1])), [content[heading.end() :]]
    elif _FENCE.fullmatch(content):
        block, text = replace(block, kind="code", fence=content, indent=indent), []
    elif _RULE.fullmatch(content):
        block, text = replace(block, kind="rule"), []
    steps: list[Step] = [Close()] if state.block is not None else []
    return State(containers, block, content), [*steps, block, *text]

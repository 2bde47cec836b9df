"""Line by line, the same blocks as a parser finds that reads the whole text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ollama_cli.terminal.markdown.blocks import read_line
from ollama_cli.terminal.markdown.structure import Block, Close, Container, Item, State

PARSER = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["html_block", "reference"])
Found = tuple[str, str, str]
"""What a block stands in, such as ``>-`` for an item in a quote; its kind; its text."""


def blocks_of(text: str) -> list[Found]:
    state = State()
    found: list[tuple[Block, list[str]]] = []
    open_block = False
    for line in text.split("\n"):
        state, steps = read_line(state, line)
        for step in steps:
            if isinstance(step, Block):
                if open_block:
                    found[-1] = (step, found[-1][1])
                else:
                    found.append((step, []))
                open_block = True
            elif isinstance(step, Close):
                open_block = False
            else:
                found[-1][1].append(step)
    return [one for block, lines in found if (one := flat(block, lines)) != (one[0], "paragraph", "")]


def flat(block: Block, lines: list[str]) -> Found:
    where = "".join(map(mark, block.containers))
    if block.kind == "code":
        return where, "code", "\n".join(lines).rstrip()
    if block.kind == "table":
        return where, "table", str(len(lines))
    text = "\n".join(line.strip() for line in lines).strip()
    return where, f"h{block.level}" if block.kind == "heading" else block.kind, text


def mark(container: Container) -> str:
    if not isinstance(container, Item):
        return ">"
    return "-" if container.number is None else f"{container.number}{container.kind}"


def blocks_by_whole_text(text: str) -> list[Found]:
    found: list[Found] = []
    where: list[str] = []
    numbers: list[int | None] = []
    kind = ""
    for token in PARSER.parse(text):
        if token.type in {"ordered_list_open", "bullet_list_open"}:
            numbers.append(int(token.attrs.get("start", 1)) if token.tag == "ol" else None)
        elif token.type in {"ordered_list_close", "bullet_list_close"}:
            numbers.pop()
        elif token.type == "list_item_open":
            where.append("-" if numbers[-1] is None else f"{numbers[-1]}{token.markup}")
            numbers[-1] = None if numbers[-1] is None else numbers[-1] + 1
        elif token.type == "blockquote_open":
            where.append(">")
        elif token.type in {"blockquote_close", "list_item_close"}:
            where.pop()
        else:
            kind = leaf(token, "".join(where), kind, found)
    return found


KINDS = {"p": "paragraph", "code": "code", "hr": "rule", "table": "table"}


def leaf(token: Token, where: str, kind: str, found: list[Found]) -> str:
    """Add what a token says to what was found; the kind of the text that is to come."""
    if token.type in {"paragraph_open", "heading_open"}:
        return KINDS.get(token.tag, token.tag)
    if token.type == "inline" and kind:
        found.append((where, kind, "\n".join(map(str.strip, token.content.split("\n"))).strip()))
    elif token.type in {"fence", "code_block", "hr"}:
        found.append((where, KINDS[token.tag], token.content.rstrip()))
    elif token.type == "table_open" and token.map is not None:
        found.append((where, "table", str(token.map[1] - token.map[0] - 1)))
    return ""


@pytest.mark.parametrize(
    "text",
    [
        "# one\ntext\n## two\n\ntitle\n===\n\nline\nline\n---\nend",
        "- a\n- b\n\n  more\n  - c\n    ```py\n    x\n\n      y\n    ```\n\n1. a\n1. b\n\n   ~~~\n   `\n   ~~~\n2) o",
        "> quote\nlazy\n>\n> - item\n>   > deep\n\nnot lazy\n> > a\n> b",
        "text\n\n    code\n\n    more\n  no code\n    lazy\n\n\tcode by tab",
        "| a | b |\n|---|:-:|\n| 1 | 2 |\n| \\| | 3 |\n\nrow | row\n--- | ---\n1 | 2\n# head",
        "a\n* * *\n- - -\n***\n\n2. no list at first\n5. counted on",
        "text\n2. no list in a paragraph\n-\n- \n\n1) list\n```\nno end\n# no heading",
        "-\n  begins below its mark\n-   wide mark\n\n    belongs to it\n\n   does not\n-     code in an item",
        "```py `no fence`\ntext\n\n#no heading\n####### neither\n\n-no list\n\n+\ttab",
    ],
)
def test_documents(text: str) -> None:
    assert blocks_of(text) == blocks_by_whole_text(text)


indents = st.sampled_from(["", "", "  ", "   "])
marks = st.lists(st.sampled_from(["> ", "- ", "* ", "1. ", "10. "]), max_size=3).map("".join)
contents = st.sampled_from(
    ["foo", "bar *baz*", "# head", "```", "```py", "~~~", "***", "===", "", "2024 x", "3) x", "+ y"]
)
lines = st.tuples(indents, marks, contents).map("".join).filter(lambda line: not re.search(r"[-*.] $", line))


@given(st.lists(lines, max_size=10).map("\n".join))
def test_any_lines(text: str) -> None:
    assert blocks_of(text) == blocks_by_whole_text(text)


def test_what_would_change_or_hide_other_text_is_text() -> None:
    text = "[name]: https://example.com\n\n<div>\n\nhtml\n\n</div>"
    assert [kind for _, kind, _ in blocks_of(text)] == ["paragraph"] * 4

"""Text within a block, such as emphasis, links and code, as styled spans."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ollama_cli.terminal.markdown.palette import BOLD, ITALIC, PLAIN, STRUCK, UNDERLINE, Palette, joined
from ollama_cli.terminal.markdown.rows import Span
from ollama_cli.terminal.sanitize import clean

_STYLES = {"strong_open": BOLD, "em_open": ITALIC, "s_open": STRUCK, "link_open": UNDERLINE}
_LINE_ENDS = str.maketrans(dict.fromkeys("\n\t\u2028\u2029", " "))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("strikethrough")


def spans_of(source: str, palette: Palette, style: str = PLAIN) -> list[Span]:
    """Read the text of a block.

    Args:
        source: The Markdown.
        palette: The styles.
        style: What the whole text looks like.

    Returns:
        Its spans; a line feed in one is where a line has to end.
    """
    tokens = _parser().parseInline(source)[0].children or []
    return _Spans(palette, style).of(tokens)


class _Spans:
    def __init__(self, palette: Palette, style: str) -> None:
        self._palette = palette
        self._styles = [style]
        self._links: list[tuple[str, int]] = []  # where each open link leads, and how many spans there were before it
        self._spans: list[Span] = []

    def of(self, tokens: list[Token]) -> list[Span]:
        for token in tokens:
            if token.type == "link_open":
                self._links.append((str(token.attrs.get("href", "")), len(self._spans)))
            if token.type in _STYLES:
                self._styles.append(joined(self._styles[-1], _STYLES[token.type]))
            elif token.type.endswith("_close"):
                self._styles.pop()
                if token.type == "link_close":
                    self._tell_address(*self._links.pop())
            else:
                self._put(token)
        return self._spans

    def _put(self, token: Token) -> None:
        style = self._styles[-1]
        if token.type == "code_inline":
            mark = "" if self._palette.color else token.markup
            self._add(f"{mark}{token.content}{mark}", joined(style, self._palette.code))
        elif token.type == "hardbreak":
            self._spans.append(("\n", style))
        elif token.type == "softbreak":
            self._add(" ", style)
        elif token.type == "image":
            before = len(self._spans)
            self._add(token.content, style)
            self._tell_address(str(token.attrs.get("src", "")), before)
        else:
            self._add(token.content, style)

    def _add(self, text: str, style: str) -> None:
        """Add a text; Markdown can write control characters as numbers, so it is cleaned once more."""
        self._spans.append((clean(text).translate(_LINE_ENDS), style))

    def _tell_address(self, address: str, before: int) -> None:
        """Tell where a link leads, unless its text says so."""
        shown = "".join(text for text, _ in self._spans[before:])
        if address and address not in {shown, f"mailto:{shown}"}:
            style = self._styles[-1]
            self._add(" (" if shown else "(", style)
            self._add(address, joined(style, self._palette.address))
            self._add(")", style)

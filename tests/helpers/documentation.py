"""What the pages of the documentation hold: their code, and the command lines of ours that stand in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "bench" / "README.md"]

TYPED = frozenset({"sh", "yaml", "dockerfile", "ini", "powershell"})
"""Languages of blocks whose every line may be a command; others show terminals, and ``$ `` stands before commands."""

_CALL = re.compile(r"(?<![\w~/.-])(?<!-t )(?:(?:\.venv|%h/\.local)/bin/)?ollama-cli (?=((?:\\\n|[^\n])*))")
_ENDS = "();<>|&"


@cache
def tokens(page: Path) -> list[Token]:
    """What a page is made of, tables included."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def blocks(page: Path, language: str = "sh") -> list[str]:
    """A page's blocks of code in a language."""
    return [token.content for token in tokens(page) if token.type == "fence" and token.info == language]


def one_with(word: str, texts: Sequence[str]) -> str:
    """The one text of several that a word stands in."""
    (found,) = [text for text in texts if word in text]
    return found


def spans(page: Path) -> list[str]:
    """What stands as code within a page's sentences."""
    inline = [part for token in tokens(page) for part in token.children or []]
    return [part.content for part in inline if part.type == "code_inline"]


def typed(page: Path) -> str:
    """The lines of a page's blocks that somebody types, or has a program run."""
    lines = []
    for token in tokens(page):
        if token.type == "fence" and token.info in TYPED:
            lines.append(token.content)
        elif token.type == "fence":
            lines += re.findall(r"^\$ (.*)$", token.content, re.MULTILINE)
    return "\n".join(lines)


def calls(text: str) -> Iterator[list[str]]:
    """The arguments of each call of our command in a piece of shell: up to where another command or a file begins."""
    for call in _CALL.finditer(text):
        rest = re.sub(r"(?<=\s)\d(?=>)", "", call[1].replace("\\\n", " "))
        words: list[str] = []
        while rest:
            try:
                words = _words(rest)
                break
            except ValueError:  # the call stands between quotation marks: the last one is not its own
                rest = rest[: max(rest.rfind(mark) for mark in "\"'")]
        yield words


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=_ENDS)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set(_ENDS):
            break
        words.append(word)
    return words

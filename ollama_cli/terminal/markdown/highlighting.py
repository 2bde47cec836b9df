"""Code in colours, line by line: Pygments goes on with each line where it was at the end of the line before."""

from __future__ import annotations

from functools import cache

from pygments.lexer import ExtendedRegexLexer, Lexer, LexerContext, RegexLexer
from pygments.lexers import get_lexer_by_name
from pygments.token import _TokenType
from pygments.util import ClassNotFound

from ollama_cli.terminal.markdown.palette import PLAIN, Palette
from ollama_cli.terminal.markdown.rows import Span

_LONGEST_LINE = 1000


class Highlighter:
    """Colours the lines of one program.

    Args:
        language: What the fence says.
        palette: The styles.
    """

    def __init__(self, language: str, palette: Palette) -> None:
        self._palette = palette
        self._lexer = _lexer(language) if palette.color else None
        self._stack = ["root"]

    def spans(self, line: str) -> list[Span]:
        """The next line, given without its end."""
        if self._lexer is None or len(line) > _LONGEST_LINE:
            return [(line, self._palette.code if self._lexer is None else PLAIN)]
        try:
            tokens = self._tokens(self._lexer, f"{line}\n")
        except Exception:  # noqa: BLE001 - a mistake in one of hundreds of languages, found by what a model wrote
            self._lexer = None
            return [(line, PLAIN)]
        spans = [(text.replace("\n", ""), self._style(kind)) for kind, text in tokens]
        return spans if "".join(text for text, _ in spans) == line else [(line, PLAIN)]

    def _tokens(self, lexer: Lexer, line: str) -> list[tuple[_TokenType, str]]:
        if not _can_go_on(lexer):
            return [(kind, text) for _, kind, text in lexer.get_tokens_unprocessed(line)]
        context = LexerContext(line, 0, self._stack)
        tokens = [(kind, text) for _, kind, text in lexer.get_tokens_unprocessed(context=context)]
        self._stack = context.stack
        return tokens

    def _style(self, kind: _TokenType) -> str:
        while kind.parent is not None:
            style = self._palette.tokens.get(str(kind))
            if style is not None:
                return style
            kind = kind.parent
        return PLAIN


@cache
def _lexer(language: str) -> Lexer | None:
    """The lexer of a language, able to go on from line to line if its kind can; None if there is none."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return None
    kind = type(lexer)
    if isinstance(lexer, RegexLexer) and kind.get_tokens_unprocessed is RegexLexer.get_tokens_unprocessed:
        continued: Lexer = type(kind.__name__, (ExtendedRegexLexer, kind), {})()
        return continued
    return lexer


def _can_go_on(lexer: Lexer) -> bool:
    """Whether it takes and leaves a context; those that keep more in one than a stack do not."""
    return type(lexer).get_tokens_unprocessed is ExtendedRegexLexer.get_tokens_unprocessed

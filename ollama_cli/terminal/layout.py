"""How a text that arrives in pieces is laid out: for a program as it came, for a person cleaned and wrapped."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, TextIO

from ollama_cli.terminal.sanitize import Sanitizer
from ollama_cli.terminal.streams import Streams, columns

if TYPE_CHECKING:
    from ollama_cli.terminal.wrapping import Wrapper


class TextLayout(Protocol):
    """Lays out a text that arrives in pieces."""

    def feed(self, text: str) -> str:
        """What to write for the next piece."""

    def end(self) -> str:
        """What to write so that the text, and its last line, are ended; another may follow."""


class PipeText:
    """A text as a program reads it: as it came."""

    def __init__(self) -> None:
        self._line_is_open = False

    def feed(self, text: str) -> str:
        """What to write for the next piece."""
        if text:
            self._line_is_open = not text.endswith("\n")
        return text

    def end(self) -> str:
        """What to write so that the line is ended."""
        return self.feed("\n") if self._line_is_open else ""


class TerminalText(PipeText):
    """A text as a person reads it: without control sequences, nor empty lines before it, in lines that fit.

    Args:
        stream: The terminal.
        wrap: Whether lines end between words.
    """

    def __init__(self, stream: TextIO, *, wrap: bool) -> None:
        super().__init__()
        self._sanitizer = Sanitizer()
        self._wrapper: Wrapper | None = None
        if wrap:
            from ollama_cli.terminal.wrapping import Wrapper

            self._wrapper = Wrapper(partial(columns, stream))
        self._begun = False

    def feed(self, text: str) -> str:
        """What to write for the next piece."""
        return self._lay_out(self._sanitizer.feed(text))

    def end(self) -> str:
        """What to write for what was held back, and so that the line is ended."""
        return self._lay_out(self._sanitizer.end()) + super().end()

    def _lay_out(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip("\n")
            self._begun = bool(text)
        super().feed(text)
        return self._wrapper.feed(text) if self._wrapper is not None and text else text


def terminal_layout(streams: Streams, *, wrap: bool = True, markdown: bool) -> TextLayout:
    """How a text on stdout is laid out for a person.

    Args:
        streams: The terminal is behind its ``out``.
        wrap: Whether lines end between words.
        markdown: Whether it is laid out as Markdown, at a terminal that has room, and whose cursor can be moved.
    """
    from ollama_cli.terminal.wrapping import NARROWEST

    wrap = wrap and not streams.dumb
    if not markdown or streams.dumb or columns(streams.out) < NARROWEST:
        return TerminalText(streams.out, wrap=wrap)
    from ollama_cli.terminal.markdown import MarkdownText

    return MarkdownText(streams.out, color=streams.color, wrap=wrap)

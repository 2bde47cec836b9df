"""How a streamed answer is shown: the answer on stdout; what the model thought, dimmed, to a person only."""

from __future__ import annotations

import json
from collections.abc import Callable

from ollama_cli.api.events import Chunk, ToolCall
from ollama_cli.api.statistics import Statistics
from ollama_cli.terminal.layout import PipeText, TerminalText, terminal_layout
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
_BEFORE_THINKING, _AFTER_THINKING = "Thinking:\n", "(End of thinking.)\n\n"


class AnswerPrinter:
    """Prints an answer as it arrives.

    A terminal gets it without control sequences, in lines that fit it; a pipe gets the model's text unchanged and
    nothing else.

    Args:
        streams: Where it goes.
        show_thinking: Whether a terminal is shown what the model thought.
        wrap: Whether lines end between words at a terminal.
        markdown: Whether a terminal that can show it is shown the answer as Markdown.
        before_showing: Called each time before something is shown.
    """

    def __init__(
        self,
        streams: Streams,
        *,
        show_thinking: bool = True,
        wrap: bool = True,
        markdown: bool = False,
        before_showing: Callable[[], None] = lambda: None,
    ) -> None:
        self._before_showing = before_showing
        self._streams = streams
        self._to_terminal = streams.out.isatty()
        self._answer = terminal_layout(streams, wrap=wrap, markdown=markdown) if self._to_terminal else PipeText()
        self._thoughts = (
            TerminalText(streams.err, wrap=wrap and not streams.dumb)
            if show_thinking and streams.err.isatty()
            else None
        )
        self._thinking = False

    def show(self, chunk: Chunk) -> None:
        """Print a piece."""
        if chunk.thinking and self._thoughts is not None:
            if not self._thinking:
                self._begin_thinking()
            self._streams.whisper(self._thoughts.feed(chunk.thinking))
        if chunk.text:
            self._end_thinking(_AFTER_THINKING)
            self._write(self._answer.feed(chunk.text))
        for call in chunk.tool_calls:
            self._end_thinking(_AFTER_THINKING)
            self._write(self._answer.end())
            self._write(self._answer.feed(self._tool_call(call)))

    def end(self) -> None:
        """Finish the line, also after an answer that broke off, so that what follows starts on one of its own."""
        self._end_thinking("")
        self._write(self._answer.end())

    def _tool_call(self, call: ToolCall) -> str:
        """A line about a tool that the model asks for, and that nobody offered it."""
        asked = f"{call.name}({json.dumps(call.arguments, ensure_ascii=False, separators=(',', ':'))})"
        asked = clean_line(asked) if self._to_terminal else asked
        return f"The model asks for a tool that it was not offered: {asked}\n"

    def _write(self, text: str) -> None:
        if text:
            self._before_showing()
            self._streams.write(text)

    def _begin_thinking(self) -> None:
        if self._to_terminal:  # it may stand in the middle of an answer
            self._write(self._answer.end())
        self._before_showing()
        self._thinking = True
        self._streams.whisper(f"{_DIM if self._streams.color else ''}{_BEFORE_THINKING}")

    def _end_thinking(self, closing: str) -> None:
        if self._thinking and self._thoughts is not None:
            self._thinking = False
            self._streams.whisper(f"{self._thoughts.end()}{closing}{_PLAIN if self._streams.color else ''}")


def show_statistics(streams: Streams, statistics: Statistics) -> None:
    """Tell on stderr what a server counted and timed, a line each, as the reference does."""
    for name, value in statistics.rows():
        streams.say(f"{name + ':':<21} {value}")

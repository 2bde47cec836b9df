"""How a streamed answer is shown: the answer on stdout; what the model thought, dimmed, to a person only."""

from __future__ import annotations

import json

from ollama_cli.api.events import Chunk, ToolCall
from ollama_cli.terminal.sanitize import Sanitizer, clean_line
from ollama_cli.terminal.streams import Streams

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class AnswerPrinter:
    """Prints an answer as it arrives.

    A terminal gets it without control sequences; a pipe gets the model's text unchanged and nothing else.

    Args:
        streams: Where it goes.
        show_thinking: Whether a terminal is shown what the model thought.
    """

    def __init__(self, streams: Streams, *, show_thinking: bool = True) -> None:
        self._streams = streams
        self._to_terminal = streams.out.isatty()
        self._show_thinking = show_thinking and streams.err.isatty()
        self._answer_filter, self._thinking_filter = Sanitizer(), Sanitizer()
        self._thinking = False
        self._last = ""

    def show(self, chunk: Chunk) -> None:
        """Print a piece."""
        if chunk.thinking and self._show_thinking:
            if not self._thinking:
                self._streams.whisper(_DIM if self._streams.color else "Thinking: ")
                self._thinking = True
            self._streams.whisper(self._thinking_filter.feed(chunk.thinking))
        if chunk.text:
            self._end_thinking()
            text = self._answer_filter.feed(chunk.text) if self._to_terminal else chunk.text
            if not self._last and self._to_terminal:
                text = text.lstrip("\n")
            if text:
                self._write(text)
        for call in chunk.tool_calls:
            self._end_thinking()
            self._write(self._tool_call(call))

    def end(self) -> None:
        """Finish the line, also after an answer that broke off, so that what follows starts on one of its own."""
        self._end_thinking()
        rest = self._answer_filter.end() if self._to_terminal else ""
        if rest:
            self._write(rest)
        if self._last and not self._last.endswith("\n"):
            self._write("\n")

    def _tool_call(self, call: ToolCall) -> str:
        """A line about a tool that the model asks for, and that nobody offered it."""
        asked = f"{call.name}({json.dumps(call.arguments, ensure_ascii=False, separators=(',', ':'))})"
        asked = clean_line(asked) if self._to_terminal else asked
        start = "\n" if self._last and not self._last.endswith("\n") else ""
        return f"{start}The model asks for a tool that it was not offered: {asked}\n"

    def _write(self, text: str) -> None:
        self._streams.write(text)
        self._last = text

    def _end_thinking(self) -> None:
        if self._thinking:
            self._streams.whisper(f"{self._thinking_filter.end()}{_PLAIN if self._streams.color else ''}\n\n")
            self._thinking = False

"""How a chat shows answers: as they arrive, once more, and what is told after one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ollama_cli.api.events import Chunk
from ollama_cli.inference.answer import Answer
from ollama_cli.terminal.answers import AnswerPrinter, show_statistics
from ollama_cli.terminal.streams import Streams


@dataclass(frozen=True)
class Display:
    """How answers are shown.

    Attributes:
        markdown: Whether answers are laid out as Markdown.
        wrap: Whether lines end between words.
        thinking: Whether what the model thinks is shown.
        statistics: Whether counts and times are told after an answer.
    """

    markdown: bool = True
    wrap: bool = True
    thinking: bool = True
    statistics: bool = False

    def printer(self, streams: Streams, before_showing: Callable[[], None] = lambda: None) -> AnswerPrinter:
        """What prints an answer that arrives.

        Args:
            streams: The terminal.
            before_showing: Called each time before something is shown.
        """
        return AnswerPrinter(
            streams,
            show_thinking=self.thinking,
            wrap=self.wrap,
            markdown=self.markdown,
            before_showing=before_showing,
        )

    def show_again(self, streams: Streams, answer: str) -> None:
        """Show an answer that was given earlier as it would be shown now."""
        printer = self.printer(streams)
        printer.show(Chunk(answer, "", done=True, done_reason="stop"))
        printer.end()
        streams.answer("")

    def tell_end(self, streams: Streams, answer: Answer) -> None:
        """Tell how an answer ended, and below it an empty line."""
        streams.say("")
        if answer.done_reason == "length":
            streams.say("The answer stops where it reached the longest that was allowed.\n")
        if self.statistics:
            show_statistics(streams, answer.statistics)
            streams.say("")

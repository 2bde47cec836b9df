"""What becomes of an answer: text as it arrives, one JSON object, or a JSON object a piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ollama_cli.api.events import Chunk
    from ollama_cli.commands.run.options import RunOptions
    from ollama_cli.terminal.streams import Streams


class Reply(Protocol):
    """Takes an answer's pieces, and its end."""

    def show(self, chunk: Chunk) -> None:
        """Take a piece."""

    def end(self) -> None:
        """Finish, also where the answer broke off or never began."""


class TextReply:
    """Prints the answer as it arrives."""

    def __init__(self, streams: Streams, options: RunOptions) -> None:
        from ollama_cli.terminal.answers import AnswerPrinter
        from ollama_cli.terminal.waiting import SignOfLife

        self._waiting = SignOfLife(streams)
        self._waiting.start()
        self._printer = AnswerPrinter(
            streams,
            show_thinking=not options.hide_thinking,
            wrap=not options.no_word_wrap,
            markdown=options.markdown is True,  # one answer is shown as it is written, unless asked for otherwise
            before_showing=self._waiting.stop,
        )

    def show(self, chunk: Chunk) -> None:
        """Print a piece."""
        self._printer.show(chunk)

    def end(self) -> None:
        """End the line."""
        self._waiting.stop()
        self._printer.end()


class JsonReply:
    """Prints one JSON object at the end, also of an answer that broke off, so that what came is not lost."""

    def __init__(self, streams: Streams, model: str) -> None:
        from ollama_cli.inference.answer import Answer

        self._streams = streams
        self._answer = Answer(model)
        self._came = False

    def show(self, chunk: Chunk) -> None:
        """Keep a piece."""
        self._came = True
        self._answer.add(chunk)

    def end(self) -> None:
        """Print the object, if anything came."""
        if self._came:
            self._streams.answer(json.dumps(self._answer.as_json()))


class JsonLinesReply:
    """Prints a JSON object a piece, and one about the end."""

    def __init__(self, streams: Streams, model: str) -> None:
        self._streams = streams
        self._model = model

    def show(self, chunk: Chunk) -> None:
        """Print a piece, each thing in it on a line."""
        from ollama_cli.inference.answer import Answer, json_of_chunk

        lines = json_of_chunk(chunk)
        if chunk.done:
            answer = Answer(self._model)
            answer.add(chunk)
            lines.append({"model": answer.model, **answer.ending()})
        for line in lines:
            self._streams.answer(json.dumps(line))

    def end(self) -> None:
        """Nothing: that no line says ``done`` tells that the answer broke off."""


def reply_for(streams: Streams, options: RunOptions, model: str) -> Reply:
    """The reply that a command line asks for."""
    if options.as_json:
        return JsonReply(streams, model)
    if options.as_json_lines:
        return JsonLinesReply(streams, model)
    return TextReply(streams, options)


@contextmanager
def answer_stream(streams: Streams, options: RunOptions) -> Iterator[Streams]:
    """The streams for an answer: stdout, or a file in its place that is written whole or not at all."""
    if options.output is None or str(options.output) == "-":
        yield streams
        return
    from ollama_cli.terminal.output_file import output_file

    with output_file(options.output, streams) as file:
        yield streams._replace(out=file)

"""What the command line of ``run`` says, and the question that it makes."""

# Its annotations are no strings, as elsewhere: NamedTuple would compile each of them at every start.

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ollama_cli.commands.typed import as_text
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.inference.question import Question


class RunOptions(NamedTuple):
    """What the command line of ``run`` says.

    Attributes:
        model: The model, as typed.
        words: The prompt's words.
        cloud: Whether to ask ollama.com whatever the name and OLLAMA_HOST say.
        system: What the model is told before the prompt.
        images: Files that go along.
        format_text: ``json``, a JSON Schema written out, or nothing.
        schema: A file with a JSON Schema that the answer has to keep.
        think: Whether or how much to think; None leaves it to the model.
        hide_thinking: Whether to show only the answer.
        parameters: ``NAME=VALUE`` for the model's runner.
        keep_alive: How long a daemon keeps the model loaded.
        truncate: For an embedding: whether to cut a text that is too long.
        dimensions: For an embedding: how many numbers; 0 leaves it to the model.
        as_json: Whether to print one JSON object.
        as_json_lines: Whether to print a JSON object a piece.
        output: The file that gets the answer in the place of stdout.
        verbose: Whether to tell counts and times.
        markdown: Whether to show the answer as Markdown at a terminal; None leaves it to where it is shown.
        no_word_wrap: Whether to leave long lines to the terminal.
        keep: Whether the chat is kept.
        continued: The kept chat to go on with, or ``last``; None is a new one.
        timeout: Seconds that the whole may take; None is no limit.
        insecure: Whether a daemon may load a missing model without TLS.
    """

    model: str
    words: tuple[str, ...] = ()
    cloud: bool = False
    system: str = ""
    images: tuple[Path, ...] = ()
    format_text: str = ""
    schema: Path | None = None
    think: str | None = None
    hide_thinking: bool = False
    parameters: tuple[str, ...] = ()
    keep_alive: str = ""
    truncate: str | None = None
    dimensions: int = 0
    as_json: bool = False
    as_json_lines: bool = False
    output: Path | None = None
    verbose: bool = False
    markdown: bool | None = None
    no_word_wrap: bool = False
    keep: bool = False
    continued: str | None = None
    timeout: float | None = None
    insecure: bool = False

    @property
    def wants_chat(self) -> bool:
        """Whether an option was given that only a chat has."""
        return self.keep or self.continued is not None

    @property
    def wants_one_answer(self) -> bool:
        """Whether an option was given that only a single answer has."""
        return any((self.as_json, self.as_json_lines, self.output, self.schema, self.timeout is not None))

    @property
    def wants_embedding(self) -> bool:
        """Whether an option was given that only an embedding has."""
        return self.truncate is not None or self.dimensions > 0


def question_of(options: RunOptions, model: str, piped: str) -> "Question":
    """The question that a command line asks.

    Args:
        options: The command line.
        model: The model, as the server that is asked names it.
        piped: What was piped in.

    Raises:
        UsageError: An option's value cannot be used, or two exclude each other.
    """
    from ollama_cli.inference.question import Question

    if options.as_json and options.as_json_lines:
        raise UsageError("Use one of --json and --json-lines.")
    return Question(
        model=model,
        prompt=" ".join((*filter(None, [piped]), *map(as_text, options.words))),
        system=as_text(options.system),
        attachments=_attachments(options),
        format=_format(options),
        think=_think(options.think),
        keep_alive=_keep_alive(options.keep_alive),
        parameters=_parameters(options.parameters),
        truncate=_truncate(options.truncate),
        dimensions=options.dimensions,
    )


def _attachments(options: RunOptions) -> Any:  # noqa: ANN401 - named only where a file is given
    if not options.images:
        return ()
    from ollama_cli.inference.attachments import read_attachment

    return tuple(read_attachment(path) for path in options.images)


def _format(options: RunOptions) -> str | dict[str, Any] | None:
    if not options.format_text and options.schema is None:
        return None
    from ollama_cli.inference.schema import parse_format, read_schema

    if options.schema is None:
        return parse_format(as_text(options.format_text))
    if options.format_text:
        raise UsageError("Use one of --format and --schema.")
    return read_schema(options.schema)


def _think(text: str | None) -> bool | str | None:
    if text is None:
        return None
    from ollama_cli.api.parameters import parse_think

    return parse_think(text or "true")


def _keep_alive(text: str) -> str | None:
    if not text:
        return None
    from ollama_cli.api.durations import format_duration, parse_duration

    return format_duration(parse_duration(text))


def _parameters(assignments: tuple[str, ...]) -> dict[str, Any]:
    if not assignments:
        return {}
    from ollama_cli.api.parameters import parse_assignments

    return dict(parse_assignments([as_text(typed) for typed in assignments]))


def _truncate(text: str | None) -> bool | None:
    if text is None:
        return None
    from ollama_cli.api.parameters import parse_switch

    switched_on = parse_switch(text)
    if switched_on is None:
        raise UsageError(f"--truncate takes true or false, not {text!r}.")
    return switched_on

"""``chats export``: a kept chat as Markdown or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand

if TYPE_CHECKING:
    from ollama_cli.context import Context


class Format(StrEnum):
    """The forms of an export."""

    MARKDOWN = "markdown"
    JSON = "json"


@dataclass(frozen=True)
class ExportOptions:
    """What the command line of ``chats export`` says.

    Attributes:
        chat: The chat's id.
        form: What to write.
        output: The file; None is stdout.
    """

    chat: str
    form: Format = Format.MARKDOWN
    output: Path | None = None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", cls=LocalCommand)(export)


def export(
    typer_context: typer.Context,
    chat: Annotated[str, typer.Argument(metavar="ID", help="The chat.")],
    form: Annotated[
        Format, typer.Option("--format", metavar="FORMAT", help="markdown or json; json has all, images too.")
    ] = Format.MARKDOWN,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to FILE, which is as it was on a failure."),
    ] = None,
) -> None:
    """Write a kept chat as Markdown or JSON, to a file or to stdout."""
    run(typer_context.obj, ExportOptions(chat, form, output))


def run(context: Context, options: ExportOptions) -> None:
    """Write a chat.

    Raises:
        UsageError: There is no such chat, or the file cannot be made.
        ArchiveError: The chat cannot be read.
    """
    from ollama_cli.chat.kept.archive import parse_id
    from ollama_cli.chat.kept.export import kept_json, kept_markdown
    from ollama_cli.terminal.output_file import output_file
    from ollama_cli.terminal.sanitize import clean

    stored = context.archive.find(parse_id(options.chat))
    text = kept_json(stored) if options.form is Format.JSON else kept_markdown(stored)
    if options.output is None:
        context.streams.write(clean(text) if context.streams.out.isatty() else text)
        return
    with output_file(options.output, context.streams) as file:
        file.write(text)

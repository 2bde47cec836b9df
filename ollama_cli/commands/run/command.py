"""``run``: ask a model."""

# Its annotations are no strings, as elsewhere: Typer would evaluate each of them six times at every start.

from pathlib import Path
from typing import Annotated, ClassVar

import typer

from ollama_cli.commands.command_line import Command, seconds
from ollama_cli.commands.typed import as_text


class RunCommand(Command):
    """``run``, with the options whose value may be left out."""

    optional_values: ClassVar = {"--think": "true", "--truncate": "true", "--continue": "last"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", cls=RunCommand)(run_command)


def run_command(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False)],
    words: Annotated[list[str] | None, typer.Argument(metavar="[PROMPT]...", show_default=False)] = None,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Run the model at ollama.com, whatever its name says.")
    ] = False,
    system: Annotated[
        str, typer.Option("--system", metavar="TEXT", help="Tell the model this before the prompt.")
    ] = "",
    image: Annotated[
        list[Path] | None, typer.Option("--image", metavar="FILE", help="Send an image or a sound along (repeatable).")
    ] = None,
    format_text: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="Answer as json, or as a JSON Schema written out.")
    ] = "",
    schema: Annotated[
        Path | None,
        typer.Option("--schema", metavar="FILE", help="Answer as the JSON Schema in FILE says, and check the answer."),
    ] = None,
    think: Annotated[
        str | None,
        typer.Option("--think", metavar="[=HOW]", help="Think: =true, =false, =low, =medium, =high or =max."),
    ] = None,
    hide_thinking: Annotated[
        bool, typer.Option("--hidethinking", help="Show the answer only, not what the model thought.")
    ] = False,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Set a parameter, such as temperature (repeatable)."),
    ] = None,
    keep_alive: Annotated[
        str, typer.Option("--keepalive", metavar="DURATION", help="How long the server keeps the model, such as 5m.")
    ] = "",
    truncate: Annotated[
        str | None,
        typer.Option("--truncate", metavar="[=BOOL]", help="For an embedding: cut a text that is too long."),
    ] = None,
    dimensions: Annotated[
        int,
        typer.Option(
            "--dimensions", min=0, metavar="N", show_default=False, help="For an embedding: how many numbers."
        ),
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: answer, thinking, counts, durations.")
    ] = False,
    as_json_lines: Annotated[
        bool, typer.Option("--json-lines", help="Print a JSON object a line, as the answer arrives.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the answer to FILE, once it is whole.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell counts and times afterwards.")] = False,
    markdown: Annotated[
        bool | None,
        typer.Option("--markdown/--plain", help="Show the answer as Markdown at a terminal, or as it is written."),
    ] = None,
    no_word_wrap: Annotated[bool, typer.Option("--nowordwrap", help="Do not wrap words at a terminal.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the chat on this machine; see `chats`.")] = False,
    continued: Annotated[
        str | None, typer.Option("--continue", metavar="[=ID]", help="Go on with a kept chat, the last one without ID.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0, callback=seconds, metavar="SECONDS", help="The longest that the whole may take."
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let the server load a missing model from a registry without TLS.")
    ] = False,
) -> None:
    """Ask a model, and print its answer as it arrives; or chat.

    Without a prompt, it is a chat. The prompt's words are joined; what is piped in stands before them. A model whose
    name ends in -cloud or :cloud runs at ollama.com; another is asked of the Ollama server on this machine, which
    loads it first if need be. Images and sounds that the prompt names, such as ./cat.png, go along to a model that
    takes them.
    """
    from ollama_cli.commands.run.one_shot import run
    from ollama_cli.commands.run.options import RunOptions

    options = RunOptions(
        model=as_text(model),
        words=tuple(words or ()),
        cloud=cloud,
        system=system,
        images=tuple(image or ()),
        format_text=format_text,
        schema=schema,
        think=think,
        hide_thinking=hide_thinking,
        parameters=tuple(parameters or ()),
        keep_alive=keep_alive,
        truncate=truncate,
        dimensions=dimensions,
        as_json=as_json,
        as_json_lines=as_json_lines,
        output=output,
        verbose=verbose,
        markdown=markdown,
        no_word_wrap=no_word_wrap,
        keep=keep,
        continued=continued,
        timeout=timeout,
        insecure=insecure,
    )
    run(typer_context.obj, options)

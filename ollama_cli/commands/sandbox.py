"""``sandbox``: a stand-in for ollama.com on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand
from ollama_cli.sandbox import DEFAULT_PORT

if TYPE_CHECKING:
    from ollama_cli.context import Context


@dataclass(frozen=True)
class SandboxOptions:
    """What the command line of ``sandbox`` says.

    Attributes:
        port: Where to listen on 127.0.0.1; 0 is any free port.
        faults: What to get wrong, as ``sandbox.faults`` reads it.
        as_json: Whether to print JSON.
    """

    port: int = DEFAULT_PORT
    faults: tuple[str, ...] = ()
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox", cls=LocalCommand)(sandbox)


def sandbox(
    typer_context: typer.Context,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65535, help="Where to listen on 127.0.0.1; 0 is any free port."
        ),
    ] = DEFAULT_PORT,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", metavar="FAULT", help="Something to get wrong (repeatable).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it listens as one JSON object.")] = False,
) -> None:
    """Run a stand-in for ollama.com on this machine, until Ctrl-C.

    Commands with --sandbox use it while it runs; a person approves devices on its pages. docs/sandbox.md tells what
    it can be made to get wrong with --fault.
    """
    run(typer_context.obj, SandboxOptions(port, tuple(fault or ()), as_json))


def run(context: Context, options: SandboxOptions) -> None:
    """Serve until Ctrl-C."""
    from ollama_cli.sandbox.server import serve

    def announce(url: str) -> None:
        context.streams.say(url)
        if options.as_json:
            context.streams.answer(json.dumps({"url": url}))

    serve(context.sandbox_dir, port=options.port, faults=options.faults, announce=announce)

"""A command line of ``run`` that has no option, read without Typer.

There is nothing to parse in ``run MODEL WORD…``, the commonest command line there is, and loading Typer was a sixth of
the time to its first word. A test holds this to what Typer makes of it. docs/performance.md has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence

from ollama_cli.commands.run.options import RunOptions
from ollama_cli.commands.typed import as_text


def plain_question(args: Sequence[str]) -> RunOptions | None:
    """What a command line asks, or None where it is no ``run``, or has anything that Typer has to read.

    Args:
        args: The arguments, without the program's name.
    """
    match args:
        case ["run", model, *words] if not any(arg.startswith("-") for arg in (model, *words)):
            return RunOptions(model=as_text(model), words=tuple(words))
    return None

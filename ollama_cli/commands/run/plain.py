"""A command line of ``run`` that has no option, read without Typer.

Loading Typer takes as long as two round trips to a near server, and there is nothing to parse in ``run MODEL WORD…``:
the commonest command line there is. A test holds this to what Typer makes of it. docs/performance.md has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence

from ollama_cli.commands.run.options import RunOptions
from ollama_cli.commands.typed import as_text

_LEAST = 2  # the command and a model


def plain_question(args: Sequence[str]) -> RunOptions | None:
    """What a command line asks, or None where it is no ``run``, or has anything that Typer has to read.

    Args:
        args: The arguments, without the program's name.
    """
    if len(args) < _LEAST or args[0] != "run" or any(arg.startswith("-") for arg in args):
        return None
    return RunOptions(model=as_text(args[1]), words=tuple(args[2:]))

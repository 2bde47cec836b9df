"""The entry of the program: ``ollama-cli``, or ``python -m ollama_cli``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_cli.terminal.streams import Streams


def entry() -> None:
    """Run the command line that the process was started with, and end the process with its status."""
    try:
        from ollama_cli.terminal.streams import Streams, settle

        if sys.argv[1:] == ["--version"]:  # the commonest question of a script, answered before anything heavy
            status = _print_version(Streams.standard())
        else:
            from ollama_cli.main import main

            status = main(sys.argv[1:])
        settle()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def _print_version(streams: Streams) -> int:
    from ollama_cli import __version__
    from ollama_cli.errors import CLOSED_PIPE, CliError

    try:
        streams.answer(f"ollama-cli {__version__}")
    except BrokenPipeError:
        return CLOSED_PIPE
    except CliError as error:
        streams.say(f"Error: {error.message}")
        return error.status
    return 0


if __name__ == "__main__":
    entry()

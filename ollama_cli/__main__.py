"""The entry of the program: ``ollama-cli``, or ``python -m ollama_cli``."""

from __future__ import annotations

import sys


def entry() -> None:
    """Run the command line that the process was started with, and end the process with its status."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:  # the commonest question of a script: answered before anything is imported
        from ollama_cli import __version__

        sys.stdout.write(f"ollama-cli {__version__}\n")
        return
    try:
        from ollama_cli.main import main

        status = main(arguments)
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    entry()

"""The entry of the program: ``ollama-cli``, or ``python -m ollama_cli``."""

from __future__ import annotations

import gc
import os
import sys


def entry() -> None:
    """Run the command line that the process was started with, and end the process with its status."""
    gc.disable()  # looking for garbage among what is being imported is a tenth of a start; `main` enables it again
    try:
        from ollama_cli.terminal.settle import settle

        try:
            status = _run(sys.argv[1:])
        finally:
            settle()
    except KeyboardInterrupt:
        status = 130
    except Exception as error:  # noqa: BLE001 - before there is what tells errors, or where it has no memory for that
        status = 1
        _tell_plainly(f"Error: ollama-cli cannot run here ({type(error).__name__}).\n")
    sys.exit(status)


def _tell_plainly(text: str) -> None:
    try:  # noqa: SIM105 - nothing can be imported any more, perhaps
        os.write(2, text.encode())
    except OSError:  # nobody can hear it
        pass


def _run(args: list[str]) -> int:
    if args == ["--version"]:  # the commonest question of a script: answered before anything is imported
        return _print_version()
    from ollama_cli.main import main

    return main(args)


def _print_version() -> int:
    from ollama_cli import __version__

    try:
        if sys.stdout is not None:
            sys.stdout.write(f"ollama-cli {__version__}\n")
            sys.stdout.flush()
    except BrokenPipeError:
        return 141
    except OSError as error:
        _tell_plainly(f"Error: The output cannot be written: {error.strerror}.\n")
        return 1
    return 0


if __name__ == "__main__":
    entry()

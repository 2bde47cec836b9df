"""From a command line to an exit status: the only place where an error becomes one."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import closing

from ollama_cli.commands.completing import COMPLETE
from ollama_cli.commands.run.plain import plain_question
from ollama_cli.errors import CLOSED_PIPE, INTERRUPTED, CliError
from ollama_cli.terminal.ending import end_tidily_when_told
from ollama_cli.terminal.errors import in_sandbox, show_error, show_fault
from ollama_cli.terminal.streams import Streams, cannot_write

_OUTPUT_FAILURES = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG})


def main(args: Sequence[str]) -> int:
    """Run a command line.

    Args:
        args: The arguments, without the program's name.

    Returns:
        The exit status.
    """
    end_tidily_when_told()
    before_options_end = args[: args.index("--")] if "--" in args else args
    as_json = any(arg == "--json" or _asks_for_json(arg) for arg in before_options_end)
    debug = "--debug" in before_options_end
    streams = Streams.standard()
    try:
        return _run(args, streams)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return CLOSED_PIPE
    except CliError as error:
        sandboxed = "--sandbox" in before_options_end
        return _report(streams, error, as_json=as_json, debug=debug, sandboxed=sandboxed)
    except Exception as error:  # noqa: BLE001 - nobody is ever shown a traceback
        if isinstance(error, OSError) and error.errno in _OUTPUT_FAILURES:  # Typer prints its help by itself
            return _report(streams, cannot_write(error), as_json=as_json)
        return show_fault(streams, error, as_json=as_json, debug=debug).status


def _asks_for_json(arg: str) -> bool:
    """Whether it is ``--json=`` with anything but a no: who wrote something else there wants to hear of it in JSON."""
    if not arg.startswith("--json="):
        return False
    from ollama_cli.api.parameters import parse_switch

    return parse_switch(arg.removeprefix("--json=")) is not False


def _run(args: Sequence[str], streams: Streams) -> int:
    question = plain_question(args)
    if question is not None:
        from ollama_cli.commands.run.one_shot import run
        from ollama_cli.context import GlobalOptions, start

        with closing(start(streams, GlobalOptions())) as context:
            run(context, question)
        return 0
    if args[:1] == [COMPLETE]:
        from ollama_cli.app import root_command
        from ollama_cli.commands.completing.answer import complete

        return complete(root_command(), args[1:])
    from ollama_cli.app import run_app

    return run_app(args, streams)


def _report(streams: Streams, error: CliError, *, as_json: bool, debug: bool = False, sandboxed: bool = False) -> int:
    if sandboxed:
        error.hint = error.hint and in_sandbox(error.hint)
    show_error(streams, error, as_json=as_json, raised=error if debug else None)
    return error.status

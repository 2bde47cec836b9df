"""The command line as a whole, and the only place where an error becomes an exit status."""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, Exit, TyperException
from typer.main import get_command

from ollama_cli.api.parameters import parse_switch
from ollama_cli.commands.completing import COMPLETE
from ollama_cli.commands.lazy import lazy_group
from ollama_cli.commands.table import COMMANDS
from ollama_cli.errors import CLOSED_PIPE, INTERRUPTED, CliError, UsageError
from ollama_cli.terminal.ending import end_tidily_when_told
from ollama_cli.terminal.errors import in_profile, in_sandbox, show_error, show_fault, show_frames
from ollama_cli.terminal.streams import Streams, cannot_write

PROGRAM = "ollama-cli"
_OUTPUT_FAILURES = frozenset({errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG})

app = typer.Typer(
    name=PROGRAM,
    cls=lazy_group(COMMANDS),
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich costs as much as all the rest of a --help
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def global_options(
    typer_context: typer.Context,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", metavar="FILE", help="Use the private key in FILE for this command.")
    ] = None,
    use_profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Act as this profile; see `ollama-cli profile`.")
    ] = None,
    insecure_storage: Annotated[
        bool, typer.Option("--insecure-storage", help="Keep a new key in a file (0600), not in the keyring.")
    ] = False,
    use_sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Use a stand-in for ollama.com on this machine: no account, no network.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Print no colours.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tell on stderr what is requested and answered.")] = False,
    _version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Your ollama.com account and its cloud models, in a terminal.

    Try it without an account: ollama-cli --sandbox run gpt-oss:120b-cloud "Why is the sky blue?"
    """
    if _version:
        from ollama_cli import __version__

        typer_context.obj.answer(f"{PROGRAM} {__version__}")
        raise Exit
    if typer_context.invoked_subcommand is None:
        typer_context.obj.answer(typer_context.get_help())
        raise Exit
    from ollama_cli.context import Context, GlobalOptions
    from ollama_cli.settings import SECRET_VARIABLES, Settings, dumb_terminal, no_color_wanted
    from ollama_cli.settings.profile_name import profile_name

    color, dumb = not (no_color or no_color_wanted(os.environ)), dumb_terminal(os.environ)
    streams = typer_context.obj._replace(color=color, dumb=dumb)
    settings = Settings.from_environment({} if use_sandbox else os.environ, os.environ)
    for name in SECRET_VARIABLES:
        os.environ.pop(name, None)  # no program that is started here, such as an editor, has a use for them
    for warning in settings.warnings:
        streams.say(f"Warning: {warning}")
    named = profile_name(use_profile, "--profile") if use_profile is not None else None
    options = GlobalOptions(key_file, insecure_storage, use_sandbox, debug, named)
    context = Context(settings, options, streams)
    gc.freeze()  # what the start made stays
    gc.enable()
    typer_context.obj = context
    typer_context.call_on_close(context.close)


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
        if args[:1] == [COMPLETE]:
            from ollama_cli.commands.completing.answer import complete

            return complete(get_command(app), args[1:])
        return _run(args, streams)
    except (KeyboardInterrupt, Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return CLOSED_PIPE
    except TyperException as error:
        return _report(streams, _usage_error(error), as_json=as_json)
    except CliError as error:
        sandboxed = "--sandbox" in before_options_end
        return _report(streams, error, as_json=as_json, debug=debug, sandboxed=sandboxed)
    except Exception as error:  # noqa: BLE001 - nobody is ever shown a traceback
        if isinstance(error, OSError) and error.errno in _OUTPUT_FAILURES:  # Typer prints its help by itself
            return _report(streams, cannot_write(error), as_json=as_json)
        return show_fault(streams, error, as_json=as_json, debug=debug).status


def _asks_for_json(arg: str) -> bool:
    """Whether it is ``--json=`` with anything but a no: who wrote something else there wants to hear of it in JSON."""
    return arg.startswith("--json=") and parse_switch(arg.removeprefix("--json=")) is not False


def _run(args: Sequence[str], streams: Streams) -> int:
    try:
        command = get_command(app)
        with command.make_context(PROGRAM, list(args), obj=streams) as typer_context:
            try:
                command.invoke(typer_context)
            except CliError as error:
                _keep_profile(error, typer_context.obj)
                raise
        status = 0
    except Exit as error:
        status = error.exit_code
    streams.write("")  # flushes what Typer printed by itself, such as a help
    return status


def _keep_profile(error: CliError, context: object) -> None:
    """Have what an error says to type act as the profile that the command was given."""
    from ollama_cli.context import Context

    if isinstance(context, Context) and context.named_profile is not None:
        error.hint = in_profile(error.hint, context.named_profile)


def _report(streams: Streams, error: CliError, *, as_json: bool, debug: bool = False, sandboxed: bool = False) -> int:
    if sandboxed:
        error.hint = in_sandbox(error.hint)
    show_error(streams, error, as_json=as_json)
    if debug:
        show_frames(streams, error)
    return error.status


def _usage_error(error: TyperException) -> UsageError:
    """A mistake on the command line; Typer's text is kept, its layout is not."""
    typer_context = getattr(error, "ctx", None)
    path = typer_context.command_path if typer_context else PROGRAM
    message = error.format_message()
    if "PRIVATE KEY" in message:
        message = "A private key stands on the command line, where other users of this machine can see it"
    hint = f"See `{path} --help`."
    if message.startswith("No such option"):
        hint += "\nWhat begins with a dash and is no option stands after `--`."
    return UsageError(message if message.endswith((".", "?")) else f"{message}.", hint=hint)

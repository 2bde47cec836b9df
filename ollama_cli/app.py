"""The command line as Typer reads it: the options before the command, and the commands of the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, Exit, TyperException
from typer.main import get_command

from ollama_cli.commands.lazy import lazy_group
from ollama_cli.commands.table import COMMANDS
from ollama_cli.errors import CliError, UsageError
from ollama_cli.terminal.errors import in_profile
from ollama_cli.terminal.streams import Streams

PROGRAM = "ollama-cli"

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
    from ollama_cli.context import GlobalOptions, start
    from ollama_cli.settings.profile_name import profile_name

    named = profile_name(use_profile, "--profile") if use_profile is not None else None
    options = GlobalOptions(key_file, insecure_storage, use_sandbox, debug, named, no_color)
    context = start(typer_context.obj, options)
    typer_context.obj = context
    typer_context.call_on_close(context.close)


def root_command() -> Any:  # noqa: ANN401 - Typer keeps the type to itself
    """The program as Typer has it: the group of all commands."""
    return get_command(app)


def run_app(args: Sequence[str], streams: Streams) -> int:
    """Run a command line.

    Args:
        args: The arguments, without the program's name.
        streams: Standard input, output and error.

    Returns:
        The exit status.

    Raises:
        KeyboardInterrupt: A person broke it off.
        UsageError: There is a mistake on the command line.
        CliError: The command failed.
    """
    try:
        command = root_command()
        with command.make_context(PROGRAM, list(args), obj=streams) as typer_context:
            try:
                command.invoke(typer_context)
            except CliError as error:
                _keep_profile(error, typer_context.obj)
                raise
        status = 0
    except Exit as error:
        status = error.exit_code
    except Abort:
        raise KeyboardInterrupt from None
    except TyperException as error:
        raise _usage_error(error) from error
    streams.write("")  # flushes what Typer printed by itself, such as a help
    return status


def _keep_profile(error: CliError, context: object) -> None:
    """Have what an error says to type act as the profile that the command was given."""
    from ollama_cli.context import Context

    if isinstance(context, Context) and context.named_profile is not None:
        error.hint = error.hint and in_profile(error.hint, context.named_profile)


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

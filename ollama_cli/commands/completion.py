"""``completion``: the script that completes our commands in a shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand


class Shell(StrEnum):
    """The shells that are completed in."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("completion", cls=LocalCommand)(completion)


def completion(
    typer_context: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")],
) -> None:
    """Print the script that completes commands and options in a shell.

    For bash: ollama-cli completion bash > ~/.local/share/bash-completion/completions/ollama-cli
    """
    from typer._completion_shared import get_completion_script

    script = get_completion_script(prog_name="ollama-cli", complete_var="_OLLAMA_CLI_COMPLETE", shell=shell.value)
    if shell is Shell.ZSH:
        # As a file of fpath it is loaded at the first Tab, which has then to complete as well.
        script += '\n[[ "$funcstack[1]" == _ollama-cli ]] && _ollama_cli_completion "$@"'
    typer_context.obj.streams.answer(script)

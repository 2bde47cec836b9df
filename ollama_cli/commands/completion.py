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
    """Print the script that completes command lines in a shell.

    In a running bash: eval "$(ollama-cli completion bash)"

    For every later one, keep it where bash looks:

    ~/.local/share/bash-completion/completions/ollama-cli
    """
    from importlib.resources import files

    ending = "ps1" if shell is Shell.POWERSHELL else shell.value
    script = files("ollama_cli.commands.completing").joinpath("scripts", f"ollama-cli.{ending}")
    typer_context.obj.streams.write(script.read_text(encoding="utf-8"))

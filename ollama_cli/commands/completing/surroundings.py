"""What a command would work with if the line that is being typed were run, as far as completion may look at it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ollama_cli.context import Context, GlobalOptions
from ollama_cli.settings import Settings
from ollama_cli.terminal.streams import Streams

if TYPE_CHECKING:
    from ollama_cli.commands.completing.cursor import Cursor


def context_of(cursor: Cursor | None) -> Context:
    """The context of a line; of the environment alone where there is no line.

    Completion reads files through it. It asks for no credential, opens no keyring, and starts no sandbox.

    Raises:
        UsageError: The environment holds what cannot be used.
    """
    sandbox = cursor is not None and "--sandbox" in cursor.options
    settings = Settings.from_environment({} if sandbox else os.environ, os.environ)
    return Context(settings, GlobalOptions(sandbox=sandbox), Streams.standard())

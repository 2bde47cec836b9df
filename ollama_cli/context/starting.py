"""How a command begins: the environment is read, once, and what it works with is made of it."""

from __future__ import annotations

import gc
import os

from ollama_cli.context.device import Context
from ollama_cli.context.surroundings import GlobalOptions
from ollama_cli.settings import SECRET_VARIABLES, Settings, dumb_terminal, no_color_wanted
from ollama_cli.terminal.streams import Streams


def start(streams: Streams, options: GlobalOptions) -> Context:
    """Make what a command works with; whoever calls it closes that.

    Raises:
        UsageError: A variable's value cannot be used.
    """
    color = not (options.no_color or no_color_wanted(os.environ))
    streams = streams._replace(color=color, dumb=dumb_terminal(os.environ))
    settings = Settings.from_environment({} if options.sandbox else os.environ, os.environ)
    for name in SECRET_VARIABLES:
        os.environ.pop(name, None)  # no program that is started here, such as an editor, has a use for them
    for warning in settings.warnings:
        streams.say(f"Warning: {warning}")
    gc.freeze()  # what was imported so far stays
    gc.enable()
    return Context(settings, options, streams)

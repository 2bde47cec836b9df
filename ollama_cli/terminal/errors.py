"""How an error is shown: a sentence and what to do next for a person, one JSON object for a script."""

from __future__ import annotations

import json

from ollama_cli.errors import CliError
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams


def show_error(streams: Streams, error: CliError, *, as_json: bool) -> None:
    """Print an error on stderr.

    Args:
        streams: Where it goes.
        error: What happened.
        as_json: Whether a script reads it.
    """
    if as_json:
        streams.say(json.dumps(error.as_json()))
        return
    streams.say(f"Error: {clean_line(error.message)}")
    for line in (error.hint or "").splitlines():
        streams.say(f"  {clean_line(line)}")
    if error.signin_url:
        streams.say("Sign in with this link:")
        streams.say("")
        streams.say(clean_line(error.signin_url))
        streams.say("")

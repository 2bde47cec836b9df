"""An API key or a token as it is given: on standard input or at a prompt, and never on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError
from ollama_cli.secret import Secret

if TYPE_CHECKING:
    from ollama_cli.context import Context

_LONGEST = 10_000
"""Bytes that are read of a secret; more than any header may have."""


def read_secret(context: Context, question: str, what: str) -> Secret:
    """What is typed at a hidden prompt, or piped in.

    Args:
        context: What the command works with.
        question: What a person is asked.
        what: What is wanted, for the error.

    Raises:
        UsageError: Nothing is, or too much.
    """
    if context.streams.interactive:
        from ollama_cli.terminal.prompts import ask_hidden

        text = ask_hidden(context.streams, question) or ""
    else:
        text = context.streams.piped_input(_LONGEST + 1)
    if not text.strip():
        raise UsageError(
            f"Nothing was given that could be {what}.",
            hint="Type it where it is asked for, at a terminal, or pipe it in.",
            code="nothing_given",
        )
    if len(text) > _LONGEST:
        raise UsageError(f"What was given is too long for {what}.", hint="It is one line.", code="bad_key")
    return Secret(text)

"""An API key or a token as it is given: on standard input or at a prompt, and never on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.commands.signin import SigninOptions
    from ollama_cli.context import Context

_LONGEST = 10_000
"""Bytes that are read of a secret; more than any header may have."""


def read_secret(context: Context, question: str, what: str) -> str:
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
    return text


def refuse_what_does_not_fit(options: SigninOptions) -> None:
    """Make sure that every option of ``signin`` that is given says something about an API key or a token.

    Raises:
        UsageError: One does not.
    """
    if options.token != (options.host is not None) or options.basic > options.token:
        raise UsageError(
            "--token and --host go together, and --basic goes with them.", hint="Write signin --host URL --token."
        )
    if options.api_key and options.token:
        raise UsageError("Use one of --api-key and --token.")
    others = {
        "--use-ollama-key": options.use_ollama_key,
        "--qr": options.qr,
        "--name": options.name is not None,
        "--timeout": options.timeout is not None,
        "--no-wait": not options.wait,
        "--cloud": options.cloud and options.token,
        "--no-browser": not options.browser and options.token,
    }
    for name, given in others.items():
        if given:
            ours = "--api-key" if options.api_key else "--token"
            raise UsageError(f"{name} does not go with {ours}.", hint=f"Leave out {name}.")

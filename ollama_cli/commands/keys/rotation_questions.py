"""What ``keys rotate`` asks a person, and what a script says beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import SafetyError, UsageError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.commands.keys.rotation_options import RotateOptions
    from ollama_cli.context import Context
    from ollama_cli.credentials.listing import KeyRecord


def leaves_old(context: Context, old: KeyRecord, options: RotateOptions) -> bool:
    """Whether the old key stays on the account, for the installed Ollama whose it is too.

    Raises:
        UsageError: It is Ollama's too, and nobody says what is to become of it; or it is not, and somebody does.
    """
    from ollama_cli.terminal.prompts import confirm

    if old.shared_with is None:
        if options.sign_out_ollama is not None:
            raise UsageError(
                "The old key is this program's alone: no installed Ollama is signed out with it.",
                hint="Leave out --sign-out-ollama and --leave-ollama.",
            )
        return False
    if options.sign_out_ollama is not None:
        return not options.sign_out_ollama
    context.require_interactive(
        "The old key is the installed Ollama's too, so what becomes of it has to be said.",
        "--leave-ollama leaves it on your account, and the two are two devices then; --sign-out-ollama takes it off, "
        "which signs Ollama out.",
    )
    context.streams.say(
        "The old key is the installed Ollama's too, and the new one is not. Left on your account, the two are two "
        "devices; taken off, Ollama is signed out."
    )
    return not confirm(context.streams, "Take it off, and sign Ollama out?", default=False)


def new_passphrase(context: Context, options: RotateOptions) -> str | None:
    """The passphrase for the new key, or None for none.

    Raises:
        UsageError: One is wanted, and nobody is there to type it, or it was not typed twice alike.
    """
    from ollama_cli.credentials.key_form import is_encrypted
    from ollama_cli.terminal.prompts import ask_new_passphrase

    text = context.wallet.text(context.device_key_name)
    wanted = options.passphrase if options.passphrase is not None else text is not None and is_encrypted(text)
    if not wanted:
        return None
    context.require_interactive(
        "A new passphrase is asked for at a terminal, and there is none.",
        "--no-passphrase makes a new key without one.",
    )
    context.streams.say("The new key gets a passphrase of its own; it may be the old one.")
    passphrase = ask_new_passphrase(context.streams)
    if passphrase is None:
        raise UsageError(
            "Nothing was rotated: no passphrase was typed twice alike.",
            hint="Try again; --no-passphrase makes a new key without one.",
        )
    return passphrase


def goes_over(context: Context, before: str, now: str) -> bool:
    """Whether this device goes over to the account that approved the new key, which is not the old key's.

    Raises:
        SafetyError: Nobody is there to say so.
    """
    from ollama_cli.terminal.prompts import confirm

    message = clean_line(f"The new key was approved by the account {now}, and this device is on {before}.")
    if not context.streams.interactive:
        raise SafetyError(
            f"{message} The old key stays in use.",
            hint="`ollama-cli keys rotate --other-account` goes over to it; --cancel takes the new key off again.",
            code="account_changed",
        )
    context.streams.say(message)
    return confirm(context.streams, f"Go over to {now}?", default=False)

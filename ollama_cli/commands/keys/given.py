"""What the commands of ``keys`` do not act on: what is given by option or environment, and what is no device key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import SignInError, UsageError

if TYPE_CHECKING:
    from ollama_cli.context import Context


_NAME_IT = "Leave it out. The key in the file can be named as KEY, by its public key line or its .pub file."


def refuse_key_file(context: Context, hint: str = _NAME_IT) -> None:
    """Refuse --key-file, which would otherwise look as if another key was meant than the one that is acted on.

    Args:
        context: What the command works with.
        hint: What to do instead.

    Raises:
        UsageError: It is given.
    """
    if context.options.key_file is not None and not context.options.sandbox:
        raise UsageError(
            "`keys` acts on the keys that this machine keeps, not on --key-file.",
            hint=hint,
        )


def no_device_key(context: Context, instead: str = "`ollama-cli signin` makes one.") -> SignInError:
    """The error for a profile that has no device key, be it that it has an API key.

    Args:
        context: What the command works with.
        instead: What to do where it has nothing.
    """
    if context.wallet.secrets.record(context.device_key_name, api_key=True) is None:
        return SignInError("This device has no key yet.", hint=instead)
    return SignInError(
        f"The profile {context.wallet.profile} has an API key, and no device key.",
        hint="API keys are made and revoked at https://ollama.com/settings/keys; `ollama-cli signout` forgets it here.",
    )

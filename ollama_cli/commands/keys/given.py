"""What the commands of ``keys`` do not act on: a key that is given for one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError

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

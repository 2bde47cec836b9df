"""What the commands of ``profile`` have in common: they act on the profile that stands after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.context import Context


def refuse_other_choices(context: Context) -> None:
    """Refuse what would say a second time which profile is meant, or that none is.

    Raises:
        UsageError: ``--profile`` or ``--sandbox`` is given.
    """
    if context.options.sandbox:
        raise UsageError("The sandbox has no profiles.", hint="Leave out --sandbox.")
    if context.options.profile is not None:
        raise UsageError("`profile` does not act as a profile.", hint="Leave out --profile.")

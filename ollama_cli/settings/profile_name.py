"""What a profile may be called: its name stands in file names, in keyrings and on command lines."""

from __future__ import annotations

import re

from ollama_cli.errors import UsageError

DEFAULT_PROFILE = "default"
"""The profile that is always there."""

LONGEST_PROFILE_NAME = 64

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_PROFILE_NAME - 1}}}")
_SHOWN = 40


def profile_name(text: str, source: str) -> str:
    """A profile's name in its one spelling: small letters, for not every store tells capital ones apart.

    Args:
        text: What was given.
        source: What gave it, for the error.

    Raises:
        UsageError: No profile can be called that.
    """
    name = text.strip().lower() if text.isascii() else text
    if not is_profile_name(name):
        shown = ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
        raise UsageError(
            f"{source} names the profile {shown}; a profile cannot be called that.",
            hint=f"A name has up to {LONGEST_PROFILE_NAME} letters (a to z), digits, dots, dashes and underscores, and "
            "begins with a letter or digit.",
            code="bad_profile_name",
        )
    return name


def is_profile_name(name: str) -> bool:
    """Whether a text is a profile's name as it is kept."""
    return _NAME.fullmatch(name) is not None

"""What somebody typed on a command line, as text."""

from __future__ import annotations

import os


def as_text(typed: str) -> str:
    """What was typed, read as UTF-8 whatever the locale says; what is no UTF-8 is replaced, for no request holds it."""
    return os.fsencode(typed).decode("utf-8", "replace")

"""What an event loop of a server of ours could not handle, and whether that is a fault."""

from __future__ import annotations

from collections.abc import Mapping


def is_fault(told: Mapping[str, object]) -> bool:
    """Whether what asyncio tells its exception handler is a fault of ours.

    A connection that breaks is none, nor is one too many. After such a one asyncio begins to listen anew a second
    later; where the server has been told to stop meanwhile, its socket is closed, and that is none either.
    """
    error = told.get("exception")
    closed_meanwhile = isinstance(error, ValueError) and str(error).startswith("Invalid file descriptor")
    return not isinstance(error, OSError) and not closed_meanwhile

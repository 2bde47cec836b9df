"""The end of the standard streams. Kept apart, for ``--version`` needs it and nothing else."""

from __future__ import annotations

import os
import sys


def settle() -> None:
    """Have what is left in the standard streams and cannot be written go nowhere: Python tries once more at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)

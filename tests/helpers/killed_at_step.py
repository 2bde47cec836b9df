"""A process that kills itself at its n-th step, for tests of what a crash leaves behind.

A step is what a crash may come before: a file that is made, renamed or removed, a request, and what comes after its
answer. What is kept elsewhere, as in a keyring, changes between two of them. The interpreter tells of files itself, so
nothing of the program is replaced but the sending of a request, which is wrapped.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

FILE_STEPS = frozenset({"os.rename", "os.remove", "tempfile.mkstemp"})


def kill_at(step: int) -> None:
    """Have this process die before its n-th step from now on; with fewer it ends as it always does."""
    import httpx

    left, send = step, httpx.Client.send

    def take_a_step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(client: httpx.Client, *args: Any, **options: Any) -> httpx.Response:
        take_a_step()
        response = send(client, *args, **options)
        take_a_step()
        return response

    httpx.Client.send = counted  # type: ignore[assignment, method-assign]
    sys.addaudithook(lambda event, _: take_a_step() if event in FILE_STEPS else None)

"""Work that blocks, beside the event loop, in threads that nobody waits for at the end.

A keyring may wait for a person, and the system's resolver for a server that is not there; neither holds up the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Beside(ThreadPoolExecutor):
    """The event loop's executor; each piece of work has a thread of its own."""

    def submit(
        self, fn: Callable[_Arguments, _Result], /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> Future[_Result]:
        """Begin to work."""
        future: Future[_Result] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
                future.set_exception(error)

        threading.Thread(target=work, name="beside serve", daemon=True).start()
        return future

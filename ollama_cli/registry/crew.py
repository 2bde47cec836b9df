"""Threads that work together: some jobs at once, the first failure ends all, and so does Ctrl-C.

They are daemon threads: one that waits for a name to be resolved, which nothing can end, does not hold up the program.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

SECONDS_BETWEEN_LOOKS = 0.1
"""How often whoever waits for the crew looks how far it is."""

_SECONDS_TO_END = 2.0


class StoppedError(Exception):
    """Ends a job whose work nobody waits for any more."""


class Crew:
    """Such threads, as a context manager; at its end they are told to stop.

    Args:
        size: How many jobs are done at once.
        interrupt: Ends what they wait for, such as connections.
    """

    def __init__(self, size: int, interrupt: Callable[[], None] = lambda: None) -> None:
        self._size = size
        self._interrupt = interrupt
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._working = 0
        self._failure: BaseException | None = None
        self.stopped = threading.Event()

    def do(self, job: Callable[[], None]) -> None:
        """Have something done; a job may add others."""
        with self._changed:
            self._jobs.append(job)
            if len(self._jobs) > self._idle and len(self._threads) < self._size:
                self._add_thread()
            self._changed.notify()

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"crew {len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more
            if not self._threads:
                raise
        else:
            self._threads.append(thread)

    def looks(self, more: Callable[[], bool] | None = None) -> Iterator[None]:
        """Wait until everything is done: an item each time that it is time to look how far it is, and one at the end.

        Args:
            more: Whether there is more to wait for than jobs. With it, whoever looks may have new ones to give, and is
                asked after each that is done.

        Raises:
            BaseException: What the first failing job raised.
        """
        while True:
            yield
            with self._changed:
                if self._failure is not None:
                    raise self._failure
                if self._is_done() and not (more and more()):
                    break
                if more:
                    self._changed.wait(SECONDS_BETWEEN_LOOKS)
                else:
                    self._changed.wait_for(self._is_done, SECONDS_BETWEEN_LOOKS)
        yield

    def _is_done(self) -> bool:
        return self._failure is not None or not (self._jobs or self._working)

    def check(self) -> None:
        """Go on, or not.

        Raises:
            StoppedError: Nobody waits for the work any more.
        """
        if self.stopped.is_set():
            raise StoppedError

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._jobs and not self.stopped.is_set():
                    self._changed.wait()
                self._idle -= 1
                if self.stopped.is_set():
                    return
                job = self._jobs.popleft()
                self._working += 1
            failure: BaseException | None = None
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - whoever waits raises it
                failure = error
            with self._changed:
                self._working -= 1
                if failure is not None and not self.stopped.is_set():
                    self._failure = self._failure or failure
                    self.stopped.set()
                self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self.stopped.set()
            self._changed.notify_all()
        if error is not None:
            self._interrupt()
        end = time.monotonic() + _SECONDS_TO_END
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

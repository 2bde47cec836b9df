"""Servers of the standard library that run in a thread for as long as a block of a test does."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS_TO_NOTICE = 0.02
"""How soon a server notices that it is to end; the library's half a second would be added to every test."""


@contextmanager
def in_thread(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve until the block ends, however it does; then close the server."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": SECONDS_TO_NOTICE}, daemon=True)
    with server:
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()

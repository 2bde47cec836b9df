"""httpx without what we do not use of it.

``import httpx`` loads click, rich and pygments for a command line of its own if click is installed, as it is beside
uvicorn; that would be a third of the time to our first request. httpx does without them where click is missing, so
click is hidden while it is imported. A program that has imported httpx before us keeps what it has.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import getproxies


@contextmanager
def _hidden(name: str, *, hide: bool) -> Iterator[None]:
    """Have a package seem not to be installed; one that was imported already stays."""
    hide = hide and name not in sys.modules
    if hide:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        yield
    finally:
        if hide:
            del sys.modules[name]


with _hidden("click", hide="httpx" not in sys.modules):
    import httpx


def load_httpcore() -> None:
    """Load what httpx sends requests with; its support of SOCKS only where the environment names such a proxy.

    This is for our own command: a program that uses our classes may name such a proxy by itself.
    """
    with _hidden("socksio", hide=not any(proxy.startswith("socks") for proxy in getproxies().values())):
        import httpcore  # noqa: F401


__all__ = ["httpx", "load_httpcore"]

"""httpx without its own command line.

``import httpx`` loads click, rich and pygments for a command line of its own if click is installed, as it is beside
uvicorn; that would be a third of the time to our first request. httpx does without them where click is missing, so
click is hidden while it is imported. A program that has imported httpx before us keeps what it has.
"""

from __future__ import annotations

import sys

_hidden = "click" not in sys.modules and "httpx" not in sys.modules
if _hidden:
    sys.modules["click"] = None  # type: ignore[assignment]  # the documented way to make an import fail
try:
    import httpx
finally:
    if _hidden:
        del sys.modules["click"]

__all__ = ["httpx"]

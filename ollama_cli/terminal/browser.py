"""Opening a link where a person sees it."""

from __future__ import annotations

import os
import sys
import threading


def open_in_browser(url: str) -> bool:
    """Open a link in the person's browser, without waiting for it.

    Returns:
        Whether there is a browser to open it with: one named by BROWSER, or a graphical session's. A browser that
        would take the terminal over is not used.
    """
    import webbrowser

    on_screen = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    )
    if not on_screen:
        return False
    try:
        controller = webbrowser.get()
    except webbrowser.Error:
        return False
    threading.Thread(target=controller.open, args=(url,), daemon=True, name="browser").start()
    return True

"""A real browser: the system's Chromium without a window, in which no page of the internet can be opened."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def _missing(what: str) -> NoReturn:
    """Skip where somebody runs the tests without a browser; where they have to be run, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed; tests/run installs it")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; each test opens contexts of its own, which are people with cookies of their own."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        _missing("Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            headless=True,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"],
        )
        yield browser
        browser.close()

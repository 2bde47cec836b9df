"""Proof that a form was shown by us to the browser that sends it: random, for one purpose, good once, for an hour."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

SECONDS_TO_DECIDE = 3600.0
MOST_OPEN_FORMS = 1000


@dataclass(frozen=True)
class _Shown:
    purpose: str
    browser: str
    until: float


class FormTokens:
    """The forms that were shown and not yet sent.

    Args:
        now: Gives seconds, from any start.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._shown: OrderedDict[str, _Shown] = OrderedDict()

    def issue(self, purpose: str, browser: str) -> str:
        """A token for a form.

        Args:
            purpose: What the form decides, such as ``connect`` and a key; it is good for nothing else.
            browser: The browser's own cookie.
        """
        token = secrets.token_urlsafe(32)
        self._shown[token] = _Shown(purpose, browser, self._now() + SECONDS_TO_DECIDE)
        while len(self._shown) > MOST_OPEN_FORMS:
            self._shown.popitem(last=False)
        return token

    def redeem(self, token: str, purpose: str, browser: str) -> bool:
        """Whether a token is good for a purpose, from a browser. A second time it is not."""
        shown = self._shown.pop(token, None)
        return (
            shown is not None
            and shown.purpose == purpose
            and hmac.compare_digest(shown.browser.encode(), browser.encode())
            and self._now() < shown.until
        )

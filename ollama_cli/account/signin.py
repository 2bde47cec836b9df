"""Signing this device in: its link is shown, a person approves it, and the server is asked until it knows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_cli.errors import SignInError, UnavailableError
from ollama_cli.terminal.waiting import spinner

if TYPE_CHECKING:
    from ollama_cli.api.account import Account
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.terminal.streams import Streams

SECONDS_BETWEEN_POLLS = 1.0
"""How often the server is asked while a person approves, as the reference does."""

SECONDS_FOR_A_PERSON = 900.0
"""How long a terminal waits for an approval when no ``--timeout`` is given."""


@dataclass(frozen=True)
class Waiting:
    """How to wait for a person.

    Attributes:
        seconds: How long; 0 is not at all.
        browser: Whether to open the link.
        print_link: Shows the link where the caller wants it.
    """

    seconds: float
    browser: bool
    print_link: Callable[[str], None]


def wait_for_approval(
    client: OllamaClient,
    streams: Streams,
    link: str,
    waiting: Waiting,
    open_browser: Callable[[str], bool],
) -> Account:
    """Show the link and ask the server until somebody has approved it.

    A network that is lost meanwhile is no reason to give up: the approval is noticed when it is back.

    Raises:
        SignInError: Nobody approved it in time.
    """
    waiting.print_link(link)
    if waiting.seconds > 0 and waiting.browser:
        opened = open_browser(link)
        streams.say("The link was opened in your browser." if opened else "Open the link in a browser, on any device.")
    lost: UnavailableError | None = None
    if waiting.seconds > 0:
        deadline = time.monotonic() + waiting.seconds
        with spinner(streams, "Waiting for you to approve this device…"):
            while True:
                try:
                    account, _ = client.account()
                    lost = None
                except UnavailableError as error:
                    account, lost = None, error
                if account is not None:
                    return account
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                time.sleep(min(SECONDS_BETWEEN_POLLS, left))
    if lost is not None:
        raise lost
    raise SignInError(
        "This device is not approved yet." if waiting.seconds == 0 else "Nobody approved this device in time.",
        hint="Approve it with the link; then `ollama-cli status` tells whether it worked. "
        "`ollama-cli signin` shows the same link again.",
        code="signin_required" if waiting.seconds == 0 else "signin_timeout",
        signin_url=link,
    )

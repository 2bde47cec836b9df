"""Signing this device in: its link is shown, a person approves it, and the server is asked until it knows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_cli.account.refusal import more_than_unauthorized
from ollama_cli.errors import CliError, LimitError, SignInError, UnavailableError
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.waiting import spinner

if TYPE_CHECKING:
    from ollama_cli.api.account import Account
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.terminal.streams import Streams

SECONDS_BETWEEN_POLLS = 1.0
"""How often the server is asked while a person approves, as the reference does."""

SECONDS_FOR_A_PERSON = 900.0
"""How long a terminal waits for an approval when no ``--timeout`` is given."""

SECONDS_FOR_A_POLL = 10.0
"""How long a server that says nothing is listened to before it is asked again."""

_SAME_LINK = (
    "Approve it with the link; then `ollama-cli status` tells whether it worked. "
    "`ollama-cli signin` shows the same link again."
)


@dataclass(frozen=True)
class Waiting:
    """How to wait for a person.

    Attributes:
        seconds: How long; 0 is not at all.
        browser: Whether to open the link.
        print_link: Shows the link where the caller wants it.
        still_wanted: Raises where there is nothing to wait for any more.
        subject: What is to be approved, for a sentence.
        key_label: What its key is called.
        later: What to do where it is not approved in the end.
    """

    seconds: float
    browser: bool
    print_link: Callable[[str], None]
    still_wanted: Callable[[], None] = lambda: None
    subject: str = "this device"
    key_label: str = "This device's key"
    later: str = _SAME_LINK


def wait_for_approval(
    client: OllamaClient,
    streams: Streams,
    link: str,
    waiting: Waiting,
    open_browser: Callable[[str], bool],
) -> Account:
    """Show the link and ask the server until somebody has approved it.

    A network that is lost meanwhile, or a server that fails, is no reason to give up and no refusal: it is told, and
    the approval is noticed when it is back.

    Raises:
        SignInError: Nobody approved it in time, or nobody was waited for.
        UnavailableError: The server could not be asked at the end.
    """
    waiting.print_link(link)
    if waiting.seconds == 0:
        raise SignInError(f"{waiting.subject.capitalize()} is not approved yet.", hint=waiting.later, signin_url=link)
    if waiting.browser and open_browser(link):
        streams.say("Opening the link in your browser. If no page appears, open it yourself, on any device.")
    elif waiting.browser:
        streams.say("Open the link in a browser, on any device.")
    deadline = time.monotonic() + waiting.seconds
    waits = f"Waiting for you to approve {waiting.subject}…"
    with spinner(streams, waits) as show:
        while True:
            account, trouble = _ask(client, deadline - time.monotonic())
            waiting.still_wanted()
            if account is not None:
                return account
            show(_told(waits, trouble))
            left = deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(SECONDS_BETWEEN_POLLS, left))
    if trouble is not None and not isinstance(trouble, SignInError):
        raise trouble
    said = more_than_unauthorized(trouble)
    raise SignInError(
        f"Nobody approved {waiting.subject} in time.",
        hint=f"The server says: {said}\n{waiting.later}" if said else waiting.later,
        code="signin_timeout",
        signin_url=link,
    )


def _ask(client: OllamaClient, left: float) -> tuple[Account | None, CliError | None]:
    """Who is signed in; or what the server says to it, or why it says nothing."""
    try:
        return client.account(patience=max(1.0, min(SECONDS_FOR_A_POLL, left)))
    except CliError as error:
        if not isinstance(error, UnavailableError | LimitError) and (error.told_by_api or error.http_status is None):
            raise
        return None, error  # also what a page on the way to the server says, such as a network's own sign-in


def _told(waits: str, trouble: CliError | None) -> str:
    """What a person who waits is told."""
    if trouble is not None and not isinstance(trouble, SignInError):
        return f"Still waiting. The server cannot be asked just now: {clean_line(trouble.message)}"
    said = more_than_unauthorized(trouble)
    return f"{waits} The server says: {clean_line(said)}" if said else waits

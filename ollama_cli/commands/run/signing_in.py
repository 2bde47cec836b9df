"""After a refused sign-in: sign in where a person is there and wants to, else say how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import SignInError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Active


def sign_in_or_raise(context: Context, place: Place, active: Active) -> None:
    """Sign in at ollama.com after it refused a request.

    Raises:
        SignInError: Nobody is there, does not want to, or the refused credential is none that a sign-in helps.
    """
    from ollama_cli.account.refusal import refusal
    from ollama_cli.account.signin import SECONDS_FOR_A_PERSON, Waiting
    from ollama_cli.credentials.credential import ApiKey, StoredKey
    from ollama_cli.terminal.prompts import confirm

    link = None if isinstance(active.credential, ApiKey) else context.connect_link(place, active.credential)
    refused = refusal(active, link)
    waiting = Waiting(SECONDS_FOR_A_PERSON, browser=True, print_link=context.streams.say)
    if not isinstance(active, StoredKey):
        raise refused
    if not context.approves_itself:
        if not context.streams.interactive:
            raise refused
        context.streams.say(refused.message)
        if not confirm(context.streams, "Sign in now?", default=True):
            raise refused
    account, _ = context.sign_in(place, waiting)
    context.streams.say(f"Signed in as {clean_line(account.name)}.\n")


def daemon_not_signed_in(error: SignInError, place: Place) -> SignInError:
    """The error for a daemon that is itself not signed in; its link is passed on where it leads to ollama.com."""
    from ollama_cli.signing.connect_link import key_in

    link = error.signin_url if error.signin_url and key_in(error.signin_url) else None
    return SignInError(
        f"The Ollama server at {place.base_url} is not signed in.",
        hint="Its link below signs that server in as a device of its own." if link else "Run `ollama-cli signin`.",
        signin_url=link,
    )

"""After a request that was refused for want of a sign-in: sign in, where a person wants to; else say how."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ollama_cli.errors import StoreError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Active
    from ollama_cli.errors import SignInError


def sign_in_or_raise(context: Context, place: Place, active: Active, error: SignInError) -> None:
    """Sign in at ollama.com after it refused a request, so that the credential that then counts is not refused.

    Where another command has put a new key in the place of the one that was used, that is enough.

    Raises:
        SignInError: Nobody is there, does not want to, or the refused credential is none that a sign-in helps.
    """
    from ollama_cli.account.refusal import refusal
    from ollama_cli.account.signin import SECONDS_FOR_A_PERSON, Waiting
    from ollama_cli.credentials.credential import StoredKey
    from ollama_cli.terminal.prompts import confirm

    refused = refusal(active, context.link_for(place, active), error)
    waiting = Waiting(SECONDS_FOR_A_PERSON, browser=True, print_link=context.streams.say)
    if not isinstance(active, StoredKey):
        raise refused
    if was_replaced(context, place, active):
        context.streams.say("This device's key was changed meanwhile; going on with the new one.")
        return
    if not context.approves_itself:
        if not context.streams.interactive:
            raise refused
        context.streams.say(refused.message)
        if not confirm(context.streams, "Sign in now?", default=True):
            raise refused
    account, _ = context.sign_in(place, waiting)
    context.streams.say(f"Signed in as {clean_line(account.name)}.\n")


def was_replaced(context: Context, place: Place, active: Active | None) -> bool:
    """Whether another command, such as a rotation, has meanwhile put another key in the place of a stored one."""
    from ollama_cli.credentials.credential import StoredKey

    if not isinstance(active, StoredKey):
        return False
    with suppress(StoreError):
        record = context.wallet.record(context.key_name(place))
        return record is not None and record.public_key != active.credential.public_key
    return False

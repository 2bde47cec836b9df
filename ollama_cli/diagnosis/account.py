"""The account: whether the server knows the credential."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from ollama_cli.diagnosis.asking import asking
from ollama_cli.diagnosis.finding import ok, remark
from ollama_cli.diagnosis.side_by_side import Family
from ollama_cli.errors import CliError

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.diagnosis.session import Session
    from ollama_cli.diagnosis.side_by_side import Report


def account(session: Session, place: Place, active: Active | None) -> Family:
    """The check of the account.

    Args:
        session: How the server is reached.
        place: The server.
        active: The credential, or None for a server that wants none.
    """
    return Family(("account",), partial(_ask, session, place, active))


def _ask(session: Session, place: Place, active: Active | None, report: Report) -> None:
    from ollama_cli.account.api_keys import account_of
    from ollama_cli.account.refusal import daemon_refusal, refusal

    try:
        with asking(session, place, active) as client:
            who, refused, taken = account_of(client, active)
    except CliError as error:
        if place.kind == "daemon" and error.http_status == HTTPStatus.NOT_FOUND:
            report(remark("account", "This Ollama server knows of no accounts.", "A newer one does."))
            return
        raise
    if who is None and taken:
        report(ok("account", "The server takes the API key, and does not tell whose it is."))
        return
    if who is None and place.kind == "daemon":
        raise daemon_refusal(place.base_url, active, refused)
    if who is None:
        raise refusal(active, session.link_for(place, active), refused)
    report(ok("account", f"Signed in as {who.name}, plan {who.plan}."))

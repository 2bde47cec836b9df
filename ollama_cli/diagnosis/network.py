"""The way to the server that stands for the account: the proxy, the name, the connection, its certificate, the time.

One request is sent, without a credential, as every command sends its own. What goes wrong with it says at which step.
"""

from __future__ import annotations

import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ollama_cli.diagnosis.asking import asking
from ollama_cli.diagnosis.finding import Finding, fault, not_needed, ok, remark
from ollama_cli.diagnosis.side_by_side import Family
from ollama_cli.errors import CliError, SignInError, UsageError
from ollama_cli.settings.hosts import is_loopback

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.api.raw import AnswerHead
    from ollama_cli.diagnosis.session import Session
    from ollama_cli.diagnosis.side_by_side import Report

CHECKS = ("proxy", "dns", "connection", "tls", "clock")

SECONDS_FOR_A_NAME = 5.0
"""How long a name may take to be resolved."""

_SET_CLOCK = "Set this machine's clock right; most systems do it by themselves once network time is switched on."


def network(session: Session, place: Place) -> Family:
    """The checks of the way to a server."""
    return Family(CHECKS, partial(_go, session, place))


def _go(session: Session, place: Place, report: Report) -> None:
    from ollama_cli.transport.proxies import proxy_for, shown

    url, proxy = place.base_url, proxy_for(place.base_url)
    if proxy is None:
        report(not_needed("proxy", f"None is used for {_host(url)}."))
        report(_resolved(url))
    head, failed = _head_of(session, place)
    if failed is not None and _about_certificates(failed):
        report(fault("tls", failed))
        return
    if proxy is not None:
        if failed is not None and failed.code in {"proxy", "usage"}:
            raise failed
        report(ok("proxy", f"Requests go through {shown(proxy)}."))
        report(not_needed("dns", f"The proxy resolves {_host(url)}."))
    if failed is not None:
        if failed.code == "tls":
            report(ok("connection", f"{_host(url)} takes connections."))
        raise failed
    report(ok("connection", f"{_host(url)} answers."))
    report(_encryption(url))
    report(_clock(place, head))


def _about_certificates(error: CliError) -> bool:
    """Whether no client can be made, for certificates that the environment names cannot be used."""
    return isinstance(error, UsageError) and isinstance(error.__cause__, OSError)


def _head_of(session: Session, place: Place) -> tuple[AnswerHead | None, CliError | None]:
    """The head of the server's answer; whatever its status, it has answered. Else what went wrong."""
    from ollama_cli.api.raw import RawRequest

    heads: list[AnswerHead] = []
    request = RawRequest("HEAD", f"{place.base_url}/")
    try:
        with (
            asking(session, place, None) as client,
            client.raw(request, on_refusal=lambda head, _: heads.append(head)) as (head, _),
        ):
            return head, None
    except CliError as error:
        if not heads or error.code == "proxy":
            return None, error
    return heads[-1], None


def _resolved(url: str) -> Finding:
    from ipaddress import ip_address

    from ollama_cli.transport.resolving import resolve

    name = urlsplit(url).hostname or ""
    with suppress(ValueError):
        return not_needed("dns", f"{ip_address(name)} is an address.")
    return ok("dns", f"{name} is {', '.join(resolve(name, SECONDS_FOR_A_NAME))}.")


def _encryption(url: str) -> Finding:
    if url.startswith("https://"):
        return ok("tls", f"The certificate of {_host(url)} is trusted.")
    if is_loopback(url):
        return not_needed("tls", f"{_host(url)} is this machine.")
    return remark(
        "tls",
        f"The connection to {_host(url)} is not encrypted: what is asked there can be read on the way.",
        "Name it with https://, if it has that. No credential is sent to it as it is.",
    )


def _clock(place: Place, head: AnswerHead | None) -> Finding:
    from ollama_cli.api.refusals import SECONDS_OF_VALIDITY
    from ollama_cli.transport.clock import LONGEST_MEND, SECONDS_OF_SKEW

    now = time.time()
    if not place.authenticated:
        return not_needed("clock", f"No request to {_host(place.base_url)} carries the time.")
    told = next((value for name, value in head.headers if name.lower() == "date"), "") if head else ""
    try:
        ahead = round(now - parsedate_to_datetime(told).timestamp())
    except (ValueError, OverflowError):
        return remark("clock", f"{_host(place.base_url)} does not tell the time.")
    if abs(ahead) <= SECONDS_OF_SKEW:
        return ok("clock", f"It agrees with that of {_host(place.base_url)}.")
    away = f"This machine's clock is {_in_words(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the server's."
    if abs(ahead) <= SECONDS_OF_VALIDITY:
        return remark("clock", away, _SET_CLOCK)
    more = "" if abs(ahead) > LONGEST_MEND else " Until then each command is refused once, and signs again."
    return fault("clock", SignInError(away, hint=f"{_SET_CLOCK}{more}", code="clock_wrong"))


def _in_words(seconds: int) -> str:
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} seconds"


def _host(url: str) -> str:
    """Host and port, as an address has them."""
    return urlsplit(url).netloc

"""All checks: which are made, which at the same time, and which have to wait for what another finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.api.place import account_place, daemon_place
from ollama_cli.diagnosis.account import account
from ollama_cli.diagnosis.daemon import daemon
from ollama_cli.diagnosis.finding import NAMES, Finding, Verdict, fault, not_checked, not_needed, ok, remark
from ollama_cli.diagnosis.keys import keys, told, wants_passphrase
from ollama_cli.diagnosis.network import CHECKS as OF_THE_NETWORK
from ollama_cli.diagnosis.network import network
from ollama_cli.diagnosis.ollama_key import ollama_key
from ollama_cli.diagnosis.side_by_side import Family, Show, side_by_side
from ollama_cli.errors import CliError, ForbiddenError, SafetyError

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.diagnosis.session import Session
    from ollama_cli.settings import Settings

SECONDS = 20.0
"""How long the checks of one round may take, at most; there are two rounds."""

_WAY_THERE = ("proxy", "dns", "connection", "tls")
_UNKNOWN = frozenset({Verdict.FAULT, Verdict.NOT_CHECKED})


class Examination:
    """All checks of one command.

    Args:
        session: As whom the command acts, and how it reaches a server; asks nobody.
        attended: The same, and asks for a passphrase; None where nobody is there to answer.
        cloud: Whether ollama.com is meant, whatever OLLAMA_HOST says.
        new_store: Where a new key would be kept: ``keyring`` or ``file``.
        show: Told which checks are still being made.
    """

    def __init__(self, session: Session, attended: Session | None, *, cloud: bool, new_store: str, show: Show) -> None:
        self._session = session
        self._attended = attended
        self._new_store = new_store
        self._show = show
        self._found: dict[str, Finding] = {}
        self._place = self._choose_place(cloud=cloud)
        self._daemon = _daemon_of(session.settings)

    def findings(self) -> list[Finding]:
        """Make the checks; what each found, in the order of ``NAMES``."""
        active = self._first_round()
        if self._place is not None:
            self._second_round(self._place, active)
        return [self._found[check] for check in NAMES]

    def _choose_place(self, *, cloud: bool) -> Place | None:
        settings = self._session.settings
        try:
            place = account_place(settings, cloud=cloud)
        except SafetyError as error:
            self._note(fault("place", error), *(not_checked(check, "place") for check in _OF_THE_PLACE))
        except ForbiddenError as error:
            unused = [not_needed(check, "ollama.com is not used.") for check in _OF_THE_PLACE]
            self._note(remark("place", error.message, error.hint), *unused)
        else:
            self._note(ok("place", _in_words(place, settings)))
            return place
        return None

    def _first_round(self) -> Active | None:
        """What needs nothing but itself; gives the credential."""
        _import_what_is_shared()
        families = [
            keys(self._session, self._place, new_store=self._new_store),
            ollama_key(self._session.settings.user_home),
        ]
        if self._place is not None:
            families.append(network(self._session, self._place))
        if self._daemon is None:
            self._note(not_needed("daemon", "All models are those of the place above."))
        elif self._place is None or self._place.kind == "cloud":
            families.append(self._family_of_daemon(self._daemon, None))
        active: Active | None = self._make(*families)[0]
        if self._place is not None and wants_passphrase(self._found["credential"].error) and self._attended is not None:
            active = self._ask_for_passphrase(self._attended, self._place)
        return active

    def _ask_for_passphrase(self, attended: Session, place: Place) -> Active | None:
        self._show([])
        active = None
        try:
            active = attended.found_credential(place)
            self._note(told(place, active))
        except CliError as error:
            self._note(fault("credential", error))
        return active

    def _second_round(self, place: Place, active: Active | None) -> None:
        """What needs the way to the server."""
        families = []
        blocked = next((check for check in _WAY_THERE if self._found[check].verdict is Verdict.FAULT), None)
        lacking = self._found["credential"].verdict in _UNKNOWN or (active is None and place.authenticated)
        if blocked is not None or lacking:
            self._note(not_checked("account", blocked or "credential"))
        else:
            families.append(account(self._session, place, active))
        if place.kind == "daemon" and blocked is not None:
            self._note(not_checked("daemon", blocked))
        elif place.kind == "daemon":
            families.append(self._family_of_daemon(place, active))
        self._make(*families)
        self._tell_once("account", "clock")
        if place.kind == "daemon":
            self._tell_once("daemon", "account")

    def _tell_once(self, check: str, cause: str) -> None:
        """Leave the fault of a check to the one above it, where it is the same."""
        error, other = self._found[check].error, self._found[cause].error
        if error is not None and other is not None and error.code == other.code:
            self._note(not_checked(check, cause))

    def _family_of_daemon(self, place: Place, active: Active | None) -> Family:
        settings = self._session.settings
        return daemon(self._session, place, active, needed=bool(settings.host or settings.no_cloud))

    def _make(self, *families: Family) -> list[Active | None]:
        results = side_by_side(families, seconds=SECONDS, show=self._show)
        for result in results:
            self._note(*result.findings.values())
        return [result.value for result in results]

    def _note(self, *findings: Finding) -> None:
        self._found |= {finding.check: finding for finding in findings}


_OF_THE_PLACE = (*OF_THE_NETWORK, "credential", "account")


def _import_what_is_shared() -> None:
    """Import before there are threads: two that import the same package at once may see the half of it."""
    from ollama_cli.account import refusal  # noqa: F401
    from ollama_cli.api import client  # noqa: F401
    from ollama_cli.credentials import device_key, keyring_store  # noqa: F401
    from ollama_cli.transport import auth, retries  # noqa: F401
    from ollama_cli.transport.lean_httpx import load_httpcore

    load_httpcore()


def _daemon_of(settings: Settings) -> Place | None:
    """The daemon that other models than the cloud's are asked of; None where ollama.com has all."""
    if settings.host is not None and settings.host.is_ollama_com:
        return None
    return daemon_place(settings)


def _in_words(place: Place, settings: Settings) -> str:
    if place.kind == "daemon":
        return f"OLLAMA_HOST: everything goes to {place.base_url}."
    if settings.host is not None and settings.host.is_ollama_com:
        return f"{place.base_url}, for every model."
    return f"{place.base_url}, for the account and its cloud models."

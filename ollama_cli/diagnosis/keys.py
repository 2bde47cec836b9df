"""The keyring, and the credential that counts. Nothing is written, nobody is asked, and no key is made."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ollama_cli.credentials.chosen import record_for
from ollama_cli.credentials.credential import ApiKey, StoredKey, is_device_key
from ollama_cli.credentials.secret_record import SecretRecord
from ollama_cli.diagnosis.finding import Finding, not_needed, ok, remark
from ollama_cli.diagnosis.side_by_side import Family
from ollama_cli.errors import CliError, SignInError, StoreError

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.diagnosis.session import Session
    from ollama_cli.diagnosis.side_by_side import Report

CHECKS = ("keyring", "credential")

MONTHS_OF_A_KEY = 12
"""After how long a key is old enough to be told: who may have copied it meanwhile is not known."""

_SECONDS_OF_A_MONTH = 365 * 24 * 3600 / 12
_PROBE = "doctor"
"""An entry that is never there: what counts is that the keyring says so."""


def keys(session: Session, place: Place | None, *, new_store: str) -> Family:
    """The checks of the keyring and the credential.

    Args:
        session: As whom the command acts.
        place: The server that the credential is for; None where that cannot be told, or is not used.
        new_store: Where a new key would be kept: ``keyring`` or ``file``.
    """
    return Family(CHECKS if place else CHECKS[:1], partial(_look, session, place, new_store))


def _look(session: Session, place: Place | None, new_store: str, report: Report) -> Active | None:
    unneeded = _why_no_keyring(session, place, new_store)
    try:
        report(ok("keyring", f"{_ask_keyring()} can be read."))
    except StoreError as error:
        if unneeded is None:
            raise
        report(remark("keyring", f"{error.message} It is not needed: {unneeded}."))
    if place is None:
        return None
    active = session.found_credential(place)
    report(told(place, active))
    return active


def _why_no_keyring(session: Session, place: Place | None, new_store: str) -> str | None:
    """Why nothing that this command would do needs the keyring, as the end of a sentence; None where something does."""
    source = session.given_source(place) if place is not None else None
    if source is not None:
        return f"{source} gives the credential"
    record = None
    with suppress(StoreError):  # it is told of the credential
        if place is not None:
            record = record_for(session.wallet, session.key_name(place), in_cloud=place.kind == "cloud")
    if place is None or not (place.authenticated or isinstance(record, SecretRecord)):
        return "no credential is used here"
    return "the key is kept in a file" if (record.store if record else new_store) == "file" else None


def _ask_keyring() -> str:
    """Ask the keyring for what it cannot have, and give its name.

    Raises:
        StoreError: It cannot be used without a person's help.
    """
    from ollama_cli.credentials.keyring_store import KeyringStore

    store = KeyringStore(person_present=False)
    store.get(_PROBE)
    return store.description[0].upper() + store.description[1:]


def wants_passphrase(error: CliError | None) -> bool:
    """Whether a credential was found, and has a passphrase that nobody was asked for."""
    from ollama_cli.credentials.device_key import KeyTextError

    cause = error.__cause__ if error is not None else None
    return isinstance(cause, KeyTextError) and cause.reason == "encrypted"


def told(place: Place, active: Active | None) -> Finding:
    """What there is to say of the credential that was found.

    Raises:
        SignInError: There is none, and the account cannot be used without.
    """
    if active is None and not place.authenticated:
        return not_needed("credential", f"Requests to {place.base_url} carry none, unless OLLAMA_AUTH is set.")
    if active is None and place.kind == "daemon":
        return remark(
            "credential",
            f"There is no key for {place.base_url} yet.",
            "The first command that goes there makes one, for OLLAMA_AUTH is set.",
        )
    if active is None:
        raise SignInError("This device has no credential yet.", hint="Run `ollama-cli signin`.")
    if not is_device_key(active.credential):
        what = "An API key" if isinstance(active.credential, ApiKey) else "A token"
        return ok("credential", f"{what}, from {active.source}.")
    which = f"Device key {active.credential.fingerprint}, from {active.source}"
    months = int((time.time() - active.made_at) / _SECONDS_OF_A_MONTH) if isinstance(active, StoredKey) else 0
    if months >= MONTHS_OF_A_KEY:
        advice = "`ollama-cli keys rotate` puts a new one in its place."
        return remark("credential", f"{which}. It is {months} months old.", advice)
    return ok("credential", f"{which}.")

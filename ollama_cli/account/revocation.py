"""Taking several devices off an account, one after the other, with this device's own key.

That one device may take another of the same account off is not documented; so a server that refuses it is taken at its
word, and told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from ollama_cli.account.signout import Outcome, ask_to_take_off
from ollama_cli.api.account_work import no_ollama_server
from ollama_cli.credentials.public_key import encode_public_key, fingerprint_of
from ollama_cli.errors import (
    CliError,
    ForbiddenError,
    LimitError,
    SignInError,
    UnavailableError,
    UsageError,
)
from ollama_cli.settings.hosts import KEYS_PAGE

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient


class End(StrEnum):
    """What became of a key that was to be taken off."""

    TAKEN_OFF = "taken_off"
    NOT_SIGNED_IN = "not_signed_in"
    UNKNOWN_KEY = "unknown_key"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class Target:
    """A key to be taken off.

    Attributes:
        public_key: Its public key line.
        own: Whether it is this device's own, which signs the requests.
        rotating: Whether it is the other key of a rotation of this device's, which signs its own removal.
    """

    public_key: str
    own: bool
    rotating: bool = False

    @property
    def fingerprint(self) -> str:
        """What ``ssh-keygen -l`` prints for it."""
        return fingerprint_of(self.public_key)


@dataclass(frozen=True)
class Result:
    """What became of a key.

    Attributes:
        target: The key.
        end: In a word.
        error: What went wrong, or None.
        forgotten: Whether it is forgotten on this machine.
    """

    target: Target
    end: End
    error: CliError | None = None
    forgotten: bool = False


def in_order(public_keys: Sequence[str], own: str, rotating: str | None = None) -> list[Target]:
    """Each key once, and this device's own last: the others cannot be taken off without its signature.

    Args:
        public_keys: The keys.
        own: This device's own; with it goes what a rotation has made of it.
        rotating: The other key of a rotation, or None.
    """
    named = dict.fromkeys(public_keys)
    if own in named and rotating is not None:
        named[rotating] = None
    targets = [Target(public_key, public_key == own, public_key == rotating) for public_key in named]
    return sorted(targets, key=lambda target: (target.own, target.rotating))


def revoke(
    client: OllamaClient,
    targets: Sequence[Target],
    forget_own: Callable[[], None],
    put_rotating_away: Callable[[], bool] = lambda: False,
) -> Iterator[Result]:
    """Take keys off the account; what became of each is told before the next is tried.

    A failure does not keep the rest from being tried, unless it would happen to them too. Where the other key of a
    rotation remains, this device's own is not tried: it would leave that one without the key that it belongs to.

    Args:
        client: Signs with this device's own key.
        targets: The keys, this device's own last.
        forget_own: Deletes this device's own key here, once it is off.
        put_rotating_away: Takes the other key of a rotation off and deletes it here; whether it was on an account.
    """
    hopeless: CliError | None = None
    remains = False
    for target in targets:
        if hopeless is not None and not (target.own and hopeless.code == SignInError.default_code and not remains):
            yield Result(target, End.NOT_TRIED, hopeless)
            continue
        if target.rotating:
            result = _put_away(target, put_rotating_away)
            remains = result.error is not None
        elif target.own:
            result = _revoke_own(client, target, forget_own)
        else:
            result = _revoke_other(client, target)
        if result.error is not None and (remains or _would_happen_again(result.error)):
            hopeless = result.error
        yield result


def _put_away(target: Target, put_rotating_away: Callable[[], bool]) -> Result:
    try:
        was_on_account = put_rotating_away()
    except CliError as error:
        return Result(target, End.FAILED, error)
    return Result(target, End.TAKEN_OFF if was_on_account else End.NOT_SIGNED_IN, forgotten=True)


def _revoke_own(client: OllamaClient, target: Target, forget_own: Callable[[], None]) -> Result:
    try:
        outcome = ask_to_take_off(client, encode_public_key(target.public_key))
    except CliError as error:
        return Result(target, End.FAILED, error)
    try:
        forget_own()
    except CliError as error:
        return Result(target, End(outcome.value), error)
    if outcome is Outcome.TAKEN_OFF:
        return Result(target, End(outcome.value), forgotten=True)
    unknown = SignInError(
        "This device was not signed in; its key is forgotten here.", hint="`ollama-cli signin` makes a new one."
    )
    return Result(target, End(outcome.value), unknown, forgotten=True)


def _revoke_other(client: OllamaClient, target: Target) -> Result:
    try:
        client.revoke_key(encode_public_key(target.public_key))
    except CliError as refused:
        try:
            return _refusal(client, target, refused)
        except CliError as error:
            return Result(target, End.FAILED, error)
    return Result(target, End.TAKEN_OFF)


def _refusal(client: OllamaClient, target: Target, refused: CliError) -> Result:
    """What it means that the server does not take another device off."""
    status = refused.http_status
    told = f" ({status}: {refused.server_words})" if refused.server_words else f" ({status})"
    if status is None or refused.code == "clock_wrong" or isinstance(refused, LimitError | UnavailableError):
        raise refused
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        if not refused.told_by_api:
            raise no_ollama_server() from refused
        unknown = f"The server knows no such key on this account{told}."
        hint = f"It may be off already, or on another account. Devices and keys: {KEYS_PAGE}"
        return Result(target, End.UNKNOWN_KEY, UsageError(unknown, hint=hint, code="key_unknown", http_status=status))
    if status == HTTPStatus.UNAUTHORIZED:
        if not refused.told_by_api:
            raise no_ollama_server() from refused
        if not client.knows_device():
            raise SignInError(
                "This device is not signed in, so it cannot take another one off.",
                hint=f"Run `ollama-cli signin` first, or take it off at {KEYS_PAGE}",
            )
    message = f"The server does not let this device take another one off{told}."
    hint = f"Take it off at {KEYS_PAGE}"
    return Result(target, End.REFUSED, ForbiddenError(message, hint=hint, code="revoke_refused", http_status=status))


def _would_happen_again(error: CliError) -> bool:
    """Whether the next key would fail for the same reason: not signed in, a wrong clock, no network, no server."""
    return isinstance(error, SignInError) or (
        isinstance(error, UnavailableError) and (error.http_status is None or error.code == "answer_invalid")
    )

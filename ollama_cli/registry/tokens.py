"""The tokens that a registry lets us in with: asked for with a signature, each time that it refuses the last one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ollama_cli.api.foreign_json import value_of
from ollama_cli.errors import AnswerError, SafetyError, SignInError
from ollama_cli.registry.exchange import read_some, streamed
from ollama_cli.registry.refusals import refusal_of
from ollama_cli.secret import Secret
from ollama_cli.settings.hosts import is_loopback
from ollama_cli.signing.challenge import (
    NONCE_BYTES,
    Challenge,
    checked_realm,
    new_nonce,
    parse_challenge,
    token_message,
    token_url,
)

if TYPE_CHECKING:
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.transport.clock import Clock
    from ollama_cli.transport.lean_httpx import httpx


@dataclass(frozen=True)
class Pass:
    """A token, and what it was given for.

    Attributes:
        token: The token.
        scope: The scope that the registry asked for.
    """

    token: Secret
    scope: str


class Tokens:
    """Gives tokens for one registry, to several threads.

    Args:
        origin: The registry's scheme, host and port; the key is shown nowhere else.
        key: Gives the key; asked only once a registry wants a signature.
        clock: What time it is.
        client: Gives a client for the registry without a credential.
    """

    def __init__(
        self, origin: str, key: Callable[[], DeviceKey], clock: Clock, client: Callable[[], httpx.Client]
    ) -> None:
        self._origin = origin
        self._key = key
        self._clock = clock
        self._client = client
        self._lock = threading.Lock()
        self._last: Pass | None = None

    @property
    def last(self) -> Pass | None:
        """The token that was given last, or None."""
        return self._last

    def renewed(self, header: str, refused: Pass | None) -> Pass:
        """A token for what a registry has just refused.

        Args:
            header: The refusal's ``WWW-Authenticate``.
            refused: What the request carried. Where another thread has a newer one already, that is given.

        Raises:
            AnswerError: The challenge, or the answer, is not what it has to be.
            SafetyError: The signature would go to another server, or through a connection that is not encrypted.
            SignInError: The registry does not know the key, or there is none.
        """
        challenge = parse_challenge(header)
        realm = checked_realm(challenge, self._origin)
        if not realm.lower().startswith("https://") and not is_loopback(realm):
            raise SafetyError(
                f"The registry {self._origin} asks for a sign-in over a connection that is not encrypted.",
                hint="Nothing was signed. Without --insecure the registry is asked over TLS.",
            )
        with self._lock:
            last = self._last
            if last is None or last.scope != challenge.scope or last is refused:
                last = self._last = self._asked_for(challenge)
            return last

    def _asked_for(self, challenge: Challenge) -> Pass:
        offset = self._clock.offset
        with self._answered(challenge) as response:
            if response.status_code != HTTPStatus.UNAUTHORIZED:
                return _read(response, challenge)
            self._clock.mend(response.headers.get("Date"), self._origin)
            if self._clock.offset == offset:
                raise _refused(response, self._origin)
        with self._answered(challenge) as response:
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                raise _refused(response, self._origin)
            return _read(response, challenge)

    @contextmanager
    def _answered(self, challenge: Challenge) -> Iterator[httpx.Response]:
        nonce = new_nonce(os.urandom(NONCE_BYTES))
        url = token_url(challenge, nonce=nonce, timestamp=self._clock.timestamp())
        headers = {"Authorization": self._key().sign(token_message(url))}
        with streamed(self._client(), self._origin, "GET", url, headers=headers) as response:
            yield response


def _read(response: httpx.Response, challenge: Challenge) -> Pass:
    """The token in an answer.

    Raises:
        CliError: There is none.
    """
    if not response.is_success:
        raise refusal_of(response)
    try:
        answer: Any = value_of(read_some(response))
        token = answer.get("token") or answer.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        token = None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token or not token:
        raise AnswerError("The registry gave no token that can be used.", hint="Try again.", code="bad_registry_token")
    return Pass(Secret(token), challenge.scope)


def _refused(response: httpx.Response, origin: str) -> SignInError:
    error = SignInError(f"The registry {origin} does not know this device's key.", http_status=response.status_code)
    error.server_words = refusal_of(response).server_words
    error.told_by_api = True
    return error

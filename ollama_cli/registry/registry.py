"""Requests to one registry: with its token, renewed when it is refused, and redirects followed without it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ollama_cli.errors import AnswerError, SafetyError, UnavailableError
from ollama_cli.registry.exchange import TIMEOUT, leads_nowhere, read_some, streamed
from ollama_cli.registry.refusals import refusal_of
from ollama_cli.registry.tokens import Pass, Tokens
from ollama_cli.settings.hosts import is_loopback, origin_of
from ollama_cli.transport.client import open_client
from ollama_cli.transport.early_answers import PatientBackend
from ollama_cli.transport.lean_httpx import httpx

if TYPE_CHECKING:
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.transport.clock import Clock

MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_ADDRESS = 16 * 1024
_LATER = "Try again in a moment."
Body = Callable[[], Iterator[bytes]]


class Registry:
    """One registry, for several threads.

    Args:
        base_url: Its scheme, host and port.
        key: Gives the key that signs for it; asked only once it wants a signature.
        clock: What time it is.
        user_agent: How we name ourselves.
        insecure: Whether it may lead to servers without TLS.
        observe: Told of every request and answer in a line that holds no credential.
        timeout: The limits of each step of a request.
    """

    def __init__(
        self,
        base_url: str,
        key: Callable[[], DeviceKey],
        clock: Clock,
        *,
        user_agent: str,
        insecure: bool = False,
        observe: Callable[[str], None] | None = None,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self.base_url = base_url
        self._origin = origin_of(base_url)
        self._insecure = insecure
        self._observe = observe
        self._user_agent = user_agent
        self._timeout = timeout
        self._backend = PatientBackend()
        self._lock = threading.Lock()
        self._clients: dict[str, httpx.Client] = {}
        self._closed = False
        self._tokens = Tokens(self._origin, key, clock, lambda: self._client(self._origin))

    def close(self) -> None:
        """End every request, also those of other threads, and close the connections."""
        with self._lock:
            self._closed = True
            self._backend.end_all()
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    @contextmanager
    def answer(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        body: Body | None = None,
        follow: bool = True,
        bare: bool = False,
        accepted: frozenset[int] = frozenset(),
        model: str | None = None,
        patience: float | None = None,
    ) -> Iterator[httpx.Response]:
        """Send a request, and give its answer, whose body is not read yet.

        Args:
            method: The HTTP method.
            url: A path of the registry, or a whole address that it has named.
            headers: Further headers.
            body: Gives what is sent, anew each time.
            follow: Whether redirects are followed. Only the registry itself is ever shown a token.
            bare: Whether not even the registry is shown one.
            accepted: Statuses besides 2xx that are no error.
            model: The model that is asked for, where a 404 means that there is none.
            patience: Seconds that the server may think, where that is longer than usual.

        Raises:
            CliError: The registry cannot be reached, refuses, or leads where nothing is sent.
        """
        at, own = self._address(url, self.base_url), not bare
        with ExitStack() as opened:
            for _ in range(MOST_REDIRECTS + 1):
                opened.close()
                own = own and origin_of(at) == self._origin
                ask = self._authorized if own else self._sent
                response = opened.enter_context(ask(method, at, headers, body, patience=patience))
                if not follow or response.status_code not in _REDIRECTS or "Location" not in response.headers:
                    break
                read_some(response)
                at = self._address(response.headers["Location"], at)
            else:
                raise AnswerError(f"The registry {self._origin} leads in circles.", hint=_LATER, code="bad_redirect")
            if not response.is_success and response.status_code not in accepted:
                raise refusal_of(response, model) if own else _failed_elsewhere(response)
            yield response

    def _address(self, named: str, base: str) -> str:
        """The whole address of what a registry names.

        Raises:
            AnswerError: It is no address.
            SafetyError: It is one without TLS, where that is not allowed.
        """
        try:
            at = urljoin(f"{base}/" if base == self.base_url else base, named)
            parts = urlsplit(at)
            usable = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
            httpx.URL(at)
            origin = origin_of(at)
        except (ValueError, httpx.InvalidURL) as error:
            raise leads_nowhere(self._origin) from error
        if not usable or len(at) > _LONGEST_ADDRESS or not at.isascii() or not at.isprintable() or " " in at:
            raise leads_nowhere(self._origin)
        on_this_machine = is_loopback(at) and is_loopback(self._origin)
        if parts.scheme == "http" and not self._insecure and not on_this_machine:
            raise SafetyError(
                f"The registry {self._origin} leads to {origin}, where nothing is encrypted.",
                hint="Nothing was sent there. --insecure would allow it.",
                code="insecure_redirect",
            )
        return at

    @contextmanager
    def _authorized(
        self, method: str, at: str, headers: Mapping[str, str], body: Body | None, *, patience: float | None
    ) -> Iterator[httpx.Response]:
        """Send a request with the registry's token, and a second time with a new one where that is refused."""
        used = self._tokens.last
        with ExitStack() as opened:
            sent = self._sent(method, at, _with_token(headers, used), body, patience=patience)
            response = opened.enter_context(sent)
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                read_some(response)
                challenge = response.headers.get("WWW-Authenticate", "")
                opened.close()
                used = self._tokens.renewed(challenge, used)
                sent = self._sent(method, at, _with_token(headers, used), body, patience=patience)
                response = opened.enter_context(sent)
            yield response

    @contextmanager
    def _sent(
        self, method: str, at: str, headers: Mapping[str, str], body: Body | None, *, patience: float | None
    ) -> Iterator[httpx.Response]:
        timeout = self._timeout if patience is None else httpx.Timeout(patience, connect=self._timeout.connect)
        origin = origin_of(at)
        sent = body() if body else None
        with streamed(
            self._client(origin), origin, method, at, headers=headers, body=sent, timeout=timeout
        ) as response:
            yield response

    def _client(self, origin: str) -> httpx.Client:
        """The client for a server; it has no credential."""
        with self._lock:
            if self._closed:
                raise UnavailableError("The work was ended.", code="connection_lost")
            if origin not in self._clients:
                self._clients[origin] = open_client(
                    origin, None, user_agent=self._user_agent, observe=self._observe, backend=self._backend
                )
            return self._clients[origin]


def _with_token(headers: Mapping[str, str], given: Pass | None) -> Mapping[str, str]:
    return headers if given is None else {**headers, "Authorization": f"Bearer {given.token.reveal()}"}


def _failed_elsewhere(response: httpx.Response) -> UnavailableError:
    """The error for a refusal by a server that the registry led to; its address may have been good for minutes only."""
    return UnavailableError(
        f"{response.request.url.host}, where the registry keeps layers, answered with status {response.status_code}.",
        hint=_LATER,
        code="server_error",
        http_status=response.status_code,
    )

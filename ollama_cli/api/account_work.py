"""The requests about an account and its devices: who is signed in, and what is taken off."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ollama_cli.api.account import Account
from ollama_cli.api.exchange import confirm, json_of
from ollama_cli.errors import CliError, SignInError, UnavailableError

if TYPE_CHECKING:
    from ollama_cli.api.exchange import Exchange

_KNOWS_THE_CALLER = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses of a refusal that is not about who asks."""


class AccountWork:
    """What a server can be asked about an account. The errors are those of every method of ``OllamaClient``."""

    _exchange: Exchange

    def account(self, *, patience: float | None = None) -> tuple[Account | None, SignInError | None]:
        """The account that is signed in; or None, and the server's refusal where it answered with one.

        Args:
            patience: Seconds that the server may say nothing; None is what every request has.

        Raises:
            SignInError: The signature was refused for a wrong clock, which says nothing about the account.
        """
        try:
            return Account.from_answer(json_of(self._exchange.send("POST", "/api/me", patience=patience))), None
        except SignInError as refused:
            if refused.code == "clock_wrong":
                raise
            return None, refused

    def knows_device(self) -> bool:
        """Whether the device key that signs is on an account; a no counts only where it cannot be a mistake.

        Raises:
            SignInError: The signature was refused for a wrong clock, which says nothing about the account.
            UnavailableError: The no was not an Ollama server's own, or did not tell the server's time.
        """
        account, refused = self.account()
        if refused is not None and not refused.told_by_api:
            raise no_ollama_server() from refused
        if refused is not None and not refused.clock_agrees:
            raise time_not_told() from refused
        return account is not None

    def takes_api_key(self) -> bool:
        """Whether the API key that goes along is taken where API keys are documented to be: by the web search.

        It is asked for nothing, which a server that knows the caller answers as a mistake.
        """
        try:
            self._exchange.send("POST", "/api/web_search", {"query": ""})
        except UnavailableError:
            raise
        except CliError as error:
            return error.told_by_api and error.http_status in _KNOWS_THE_CALLER
        return True

    def revoke_key(self, encoded: str) -> None:
        """Take a device off the account: ``DELETE /api/user/keys/{encoded key}``.

        Raises:
            SignInError: The server does not know the key that signed the request.
        """
        confirm(self._exchange.send("DELETE", f"/api/user/keys/{encoded}"))

    def sign_out_daemon(self) -> None:
        """Have a daemon take its own device off the account.

        Raises:
            SignInError: It was not signed in.
        """
        confirm(self._exchange.send("POST", "/api/signout", repeatable=False))


def no_ollama_server() -> UnavailableError:
    """The error for a refusal that somebody on the way to the server may have made up."""
    return UnavailableError(
        "What answered is no Ollama server, so nothing is confirmed and nothing forgotten.",
        hint="A proxy or a sign-in page of the network may stand in between. Try again when it does not.",
        code="answer_invalid",
    )


def time_not_told() -> UnavailableError:
    """The error for a refusal that may be due to this machine's clock, with no way to know."""
    return UnavailableError(
        "The server refuses the signature and does not tell its time, so nothing is confirmed and nothing forgotten.",
        hint="Make sure that this machine's clock is right, and try again.",
        code="unconfirmed",
    )

"""Typed requests to one Ollama server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from ollama_cli.api.account import Account
from ollama_cli.api.events import Chunk, chunk_of, chunks
from ollama_cli.api.exchange import Exchange
from ollama_cli.api.failures import error_for
from ollama_cli.errors import AnswerError, CliError, SignInError, UnavailableError

_LAST_STATUS = 599


class OllamaClient:
    """What can be asked of a server.

    Every method raises ``UnavailableError`` where the server cannot be reached or answers something else than an
    Ollama server does, and the error of ``failures.error_for`` where it refuses.

    Args:
        exchange: Sends requests to the server, with its credential.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def account(self, *, patience: float | None = None) -> tuple[Account | None, SignInError | None]:
        """The account that is signed in; or None, and the server's refusal where it answered with one.

        Args:
            patience: Seconds that the server may say nothing; None is what every request has.

        Raises:
            SignInError: The signature was refused for a wrong clock, which says nothing about the account.
        """
        try:
            return Account.from_answer(_json(self._exchange.send("POST", "/api/me", patience=patience))), None
        except SignInError as refused:
            if refused.code == "clock_wrong":
                raise
            return None, refused

    def revoke_key(self, encoded: str) -> None:
        """Take a device off the account: ``DELETE /api/user/keys/{encoded key}``.

        Raises:
            SignInError: The server does not know the key that signed the request.
        """
        _confirm(self._exchange.send("DELETE", f"/api/user/keys/{encoded}"))

    def sign_out_daemon(self) -> None:
        """Have a daemon take its own device off the account.

        Raises:
            SignInError: It was not signed in.
        """
        _confirm(self._exchange.send("POST", "/api/signout"))

    def generate(self, body: dict[str, Any]) -> Iterator[Chunk]:
        """Stream one answer to one prompt.

        Args:
            body: The request of ``/api/generate``; ``model`` is needed.

        Raises:
            AnswerError: The stream ends early, or holds something that is no answer.
        """
        with self._exchange.stream("POST", "/api/generate", body) as parts:
            for content in chunks(parts):
                if "error" in content:
                    raise _stream_error(content, body.get("model"))
                chunk = chunk_of(content)
                yield chunk
                if chunk.done:
                    return
        raise AnswerError("The answer broke off before its end.", hint="What came of it is above; try again.")


def _json(body: bytes) -> object:
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnavailableError(
            "The server's answer is not what an Ollama server answers.",
            hint="A proxy or a sign-in page of the network may stand in between.",
            code="answer_invalid",
        ) from error
    return content


def _confirm(body: bytes) -> None:
    """Take an answer as a yes only if it is JSON or nothing at all: a portal's page confirms nothing."""
    if body.strip():
        _json(body)


def _stream_error(content: dict[str, Any], model: str | None) -> CliError:
    """The error of a line ``{"error": …}`` that came under status 200."""
    status = content.get("status_code")
    if isinstance(status, int) and HTTPStatus.MULTIPLE_CHOICES <= status <= _LAST_STATUS:
        return error_for(status, json.dumps(content).encode(), model=model)
    said = content["error"] if isinstance(content["error"], str) else "no reason was given"
    return AnswerError(f"The model broke off: {' '.join(said.split())}", hint="What came of it is above; try again.")

"""Typed requests to one Ollama server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from ollama_cli.api.account import Account
from ollama_cli.api.events import Chunk, chunk_of, chunks
from ollama_cli.api.failures import error_for
from ollama_cli.errors import AnswerError, CliError, SignInError
from ollama_cli.transport.client import patient
from ollama_cli.transport.failures import explained
from ollama_cli.transport.lean_httpx import httpx


class OllamaClient:
    """What can be asked of a server.

    Every method raises ``UnavailableError`` where the server cannot be reached, and the error of
    ``failures.error_for`` where it refuses.

    Args:
        http: A client for the server, with its credential.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def account(self) -> tuple[Account | None, str | None]:
        """The account that is signed in; or None, and the link to sign in with where the server named one."""
        try:
            return Account.from_answer(self._request("POST", "/api/me").json()), None
        except SignInError as refused:
            return None, refused.signin_url
        except (ValueError, RecursionError) as error:
            raise AnswerError("The server's answer about the account is not JSON.", code="answer_invalid") from error

    def revoke_key(self, encoded: str) -> None:
        """Take a device off the account: ``DELETE /api/user/keys/{encoded key}``.

        Raises:
            SignInError: The server does not know the key that signed the request.
        """
        self._request("DELETE", f"/api/user/keys/{encoded}")

    def sign_out_daemon(self) -> None:
        """Have a daemon take its own device off the account.

        Raises:
            SignInError: It was not signed in.
        """
        self._request("POST", "/api/signout")

    def generate(self, body: dict[str, Any]) -> Iterator[Chunk]:
        """Stream one answer to one prompt.

        Args:
            body: The request of ``/api/generate``; ``model`` is needed.

        Raises:
            AnswerError: The stream ends early, or holds something that is no answer.
        """
        finished = False
        with self._stream("POST", "/api/generate", body) as parts:
            for content in chunks(parts):
                if "error" in content:
                    status = content.get("status_code")
                    raise _stream_error(content, status if isinstance(status, int) else None, body.get("model"))
                chunk = chunk_of(content)
                yield chunk
                finished = finished or chunk.done
        if not finished:
            raise AnswerError("The answer broke off before its end.", hint="What came of it is above; try again.")

    def embed(self, body: dict[str, Any]) -> dict[str, Any]:
        """The vectors of a text: ``/api/embed``."""
        content: dict[str, Any] = self._request("POST", "/api/embed", body).json()
        return content

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        with explained(str(self._http.base_url)):
            response = self._http.request(method, path, json=body)
        if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise error_for(response.status_code, response.content, model=(body or {}).get("model"))
        return response

    @contextmanager
    def _stream(self, method: str, path: str, body: dict[str, Any]) -> Iterator[Iterator[bytes]]:
        headers = {"Accept": "application/x-ndjson", "Accept-Encoding": "identity"}
        started = False
        try:
            with (
                explained(str(self._http.base_url)),
                self._http.stream(method, path, json=body, headers=headers, timeout=patient()) as response,
            ):
                if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
                    raise error_for(response.status_code, response.read(), model=body.get("model"))
                started = True
                yield response.iter_bytes()
        except CliError as error:
            if started and error.code == "connection_lost":
                raise AnswerError(
                    "The answer broke off: the connection was lost.", hint="What came of it is above; try again."
                ) from error
            raise


def _stream_error(content: dict[str, Any], status: int | None, model: str | None) -> CliError:
    """The error of a line ``{"error": …}`` that came under status 200."""
    import json

    if status is not None and status >= HTTPStatus.MULTIPLE_CHOICES:
        return error_for(status, json.dumps(content).encode(), model=model)
    said = content["error"] if isinstance(content["error"], str) else "no reason was given"
    return AnswerError(f"The model broke off: {' '.join(said.split())}", hint="What came of it is above; try again.")

"""The requests with which a daemon works on a model: it loads one, sends one to its registry, or makes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ollama_cli.api.events import chunks
from ollama_cli.api.exchange import Exchange
from ollama_cli.api.failures import error_in_stream
from ollama_cli.errors import AnswerError, CliError, UnavailableError
from ollama_cli.transport.limits import FOR_WORK, Limits

if TYPE_CHECKING:
    from ollama_cli.api.work_steps import WorkStep

_DONE = "success"


class ModelWork:
    """What a daemon can be had to do with models. The errors are those of every method of ``OllamaClient``.

    Args:
        exchange: Sends requests to the server, with its credential.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def pull(self, model: str, *, insecure: bool = False) -> Iterator[WorkStep]:
        """Have a daemon load a model from its registry.

        Args:
            model: Its name.
            insecure: Whether the registry may be asked without TLS.

        Raises:
            ModelNotFoundError: The registry has none of that name.
            ForbiddenError: The registry does not give it to the daemon.
            AnswerError: The daemon broke off.
        """
        return self._work("/api/pull", _named(model, insecure=insecure), model)

    def push(self, model: str, *, insecure: bool = False) -> Iterator[WorkStep]:
        """Have a daemon send a model to its registry.

        Args:
            model: Its name.
            insecure: Whether the registry may be asked without TLS.

        Raises:
            ModelNotFoundError: The daemon has none of that name.
            ForbiddenError: The registry does not take it from the daemon.
            AnswerError: The daemon broke off.
        """
        return self._work("/api/push", _named(model, insecure=insecure), model)

    def create(self, body: dict[str, Any]) -> Iterator[WorkStep]:
        """Have a daemon make a model.

        Args:
            body: The request of ``/api/create``; ``model`` is needed.

        Raises:
            UsageError: The model cannot be made so.
            ModelNotFoundError: There is no such model to begin from.
            AnswerError: The daemon broke off.
        """
        return self._work("/api/create", body, str(body.get("from") or body["model"]), creating=True)

    def require_answer(self) -> None:
        """Find out whether there is a server at all."""
        self._exchange.send("GET", "/api/version")

    def has_blob(self, digest: str) -> bool:
        """Whether a daemon has the file with this digest."""
        try:
            self._exchange.send("HEAD", f"/api/blobs/{digest}")
        except CliError as error:
            if error.http_status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def send_blob(self, digest: str, parts: Iterable[bytes], size: int) -> None:
        """Give a daemon the file with this digest.

        Args:
            digest: Such as ``sha256:…``.
            parts: What is in it; gone through anew where the request has to be sent again.
            size: How many bytes these are.

        Raises:
            UsageError: What was sent has another digest.
        """
        from ollama_cli.api.raw import RawRequest

        headers = (("Content-Length", str(size)), ("Content-Type", "application/octet-stream"))
        request = RawRequest("POST", f"/api/blobs/{digest}", headers, parts, repeatable=True)
        with self._exchange.raw(request, on_refusal=lambda *_: None) as (_, answer):
            for _ in answer:
                pass

    def _work(self, path: str, body: dict[str, Any], model: str, *, creating: bool = False) -> Iterator[WorkStep]:
        from ollama_cli.api.work_failures import error_in_work
        from ollama_cli.api.work_steps import WorkStep

        def failed(content: dict[str, Any], _: object) -> CliError:
            return error_in_work(content, model, creating=creating)

        status = ""
        try:
            for content in self._events(path, body, failed=failed, limits=FOR_WORK):
                step = WorkStep.from_event(content)
                status = step.status
                yield step
        except UnavailableError as error:
            if error.http_status == HTTPStatus.INTERNAL_SERVER_ERROR and error.server_words:
                raise failed({"error": error.server_words}, None) from error
            raise
        if status != _DONE:
            raise AnswerError("The server stopped in the middle of the work on the model.", hint="Try again.")

    def _events(
        self,
        path: str,
        body: dict[str, Any],
        *,
        failed: Callable[[dict[str, Any], str | None], CliError] = error_in_stream,
        limits: Limits | None = None,
    ) -> Iterator[dict[str, Any]]:
        with self._exchange.stream("POST", path, body, limits=limits) as parts:
            for content in chunks(parts):
                if content.get("error") not in (None, ""):  # some servers send an empty one along with every line
                    raise failed(content, body.get("model"))
                yield content


def _named(model: str, *, insecure: bool) -> dict[str, Any]:
    return {"model": model, "insecure": True} if insecure else {"model": model}

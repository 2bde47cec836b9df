"""Typed requests to one Ollama server."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ollama_cli.api.account_work import AccountWork
from ollama_cli.api.events import Chunk, chat_chunk_of, chunk_of
from ollama_cli.api.exchange import LONGEST_ANSWER, LONGEST_DETAILS, confirm, json_of
from ollama_cli.api.failures import BREAK_HINT
from ollama_cli.api.model_work import ModelWork
from ollama_cli.errors import AnswerError, CliError, UsageError

if TYPE_CHECKING:  # each method imports the answer that it reads: `run` has no use for most of them
    from ollama_cli.api.model_info import ModelInfo
    from ollama_cli.api.model_list import ListedModel, RunningModel
    from ollama_cli.api.raw import AnswerHead, RawRequest
    from ollama_cli.api.web import SearchResult, WebPage


class OllamaClient(AccountWork, ModelWork):
    """What can be asked of a server.

    Every method raises ``UnavailableError`` where the server cannot be reached or answers something else than an
    Ollama server does, and the error of ``failures.error_for`` where it refuses.
    """

    def generate(self, body: dict[str, Any]) -> Iterator[Chunk]:
        """Stream one answer to one prompt.

        Args:
            body: The request of ``/api/generate``; ``model`` is needed.

        Raises:
            AnswerError: The stream ends early, or holds something that is no answer.
        """
        return self._answer("/api/generate", body, chunk_of)

    def chat(self, body: dict[str, Any]) -> Iterator[Chunk]:
        """Stream the next message of a conversation.

        Args:
            body: The request of ``/api/chat``; ``model`` and ``messages`` are needed.

        Raises:
            AnswerError: The stream ends early, or holds something that is no answer.
        """
        return self._answer("/api/chat", body, chat_chunk_of)

    def models(self) -> list[ListedModel]:
        """The models that the server has."""
        from ollama_cli.api.model_list import models_of

        return models_of(json_of(self._exchange.send("GET", "/api/tags")))

    def running(self) -> list[RunningModel]:
        """The models that a daemon holds in memory."""
        from ollama_cli.api.model_list import running_of

        return running_of(json_of(self._exchange.send("GET", "/api/ps")))

    def unload(self, model: str) -> None:
        """Have a daemon take a model out of its memory.

        Raises:
            ModelNotFoundError: It has none of that name.
        """
        for _ in self.generate({"model": model, "keep_alive": "0s"}):
            pass

    def copy(self, source: str, destination: str) -> None:
        """Have a daemon give a model a second name.

        Raises:
            ModelNotFoundError: It has none of that name.
        """
        confirm(self._exchange.send("POST", "/api/copy", {"source": source, "destination": destination}))

    def delete(self, model: str) -> None:
        """Have a daemon delete a model.

        Raises:
            ModelNotFoundError: It has none of that name.
        """
        confirm(self._exchange.send("DELETE", "/api/delete", {"model": model}, repeatable=False))

    def show(self, model: str, *, verbose: bool = False) -> ModelInfo:
        """What the server tells about a model.

        Args:
            model: Its name.
            verbose: Whether it shall tell all, such as every word of a vocabulary.

        Raises:
            ModelNotFoundError: It has none of that name.
        """
        from ollama_cli.api.model_info import ModelInfo

        body = {"model": model, "verbose": True} if verbose else {"model": model}
        longest = LONGEST_DETAILS if verbose else LONGEST_ANSWER
        return ModelInfo.from_answer(json_of(self._exchange.send("POST", "/api/show", body, longest=longest)))

    def embed(self, body: dict[str, Any]) -> dict[str, Any]:
        """The embedding of a text.

        Args:
            body: The request of ``/api/embed``, with one text as its ``input``.

        Returns:
            The answer; ``embeddings`` holds one list of numbers.

        Raises:
            AnswerError: The answer holds no embedding.
        """
        # Read as it is: what is wrong with a number of it makes it no embedding, which is told as that.
        content = json_of(self._exchange.send("POST", "/api/embed", body), read=json.loads)
        vectors = content.get("embeddings") if isinstance(content, dict) else None
        if not isinstance(vectors, list) or len(vectors) != 1 or not _is_vector(vectors[0]):
            raise AnswerError("The server sent no embedding.", code="answer_invalid")
        return dict(content)  # type: ignore[call-overload,no-any-return]  # a dict, for it had embeddings

    def web_search(
        self, query: str, *, max_results: int | None = None, through_daemon: bool = False
    ) -> list[SearchResult]:
        """Search the web.

        Args:
            query: What for.
            max_results: How many results there may be; None leaves it to the server.
            through_daemon: Whether the server is a daemon, which passes this on to ollama.com.

        Raises:
            AnswerError: The answer holds no results.
        """
        from ollama_cli.api.web import results_of

        body: dict[str, Any] = {"query": query}
        if max_results is not None:
            body["max_results"] = max_results
        return results_of(self._from_web("web_search", body, through_daemon=through_daemon))

    def web_fetch(self, url: str, *, through_daemon: bool = False) -> WebPage:
        """Have a page of the web loaded.

        Args:
            url: Its address.
            through_daemon: Whether the server is a daemon, which passes this on to ollama.com.

        Raises:
            AnswerError: The answer holds no page.
        """
        from ollama_cli.api.web import page_of

        return page_of(self._from_web("web_fetch", {"url": url}, through_daemon=through_daemon))

    @contextmanager
    def raw(
        self, request: RawRequest, *, on_refusal: Callable[[AnswerHead, bytes], None]
    ) -> Iterator[tuple[AnswerHead, Iterator[bytes]]]:
        """Send any request, and give the head and the body of its answer as they arrive.

        Args:
            request: The request.
            on_refusal: Given each answer that is no success, without what it repeats of the credential.

        Raises:
            AnswerError: The connection was lost within the answer.
            UsageError: The server has nothing at that path.
        """
        try:
            with self._exchange.raw(request, on_refusal=on_refusal) as answer:
                yield answer
        except CliError as error:
            from ollama_cli.api.raw import unknown_path

            raise unknown_path(error, request.url) from error

    def _from_web(self, what: str, body: dict[str, Any], *, through_daemon: bool) -> object:
        if not through_daemon:
            return json_of(self._exchange.send("POST", f"/api/{what}", body))
        missing: CliError | None = None
        # Under the second path a stand-in for ollama.com has it, which may be where a daemon usually is.
        for path in (f"/api/experimental/{what}", f"/api/{what}"):
            try:
                return json_of(self._exchange.send("POST", path, body))
            except CliError as error:
                if error.http_status != HTTPStatus.NOT_FOUND:
                    raise
                missing = error
        raise UsageError(
            "This Ollama server does not ask the web.",
            hint="A newer one does; --cloud asks ollama.com itself.",
            code="bad_request",
            http_status=HTTPStatus.NOT_FOUND,
        ) from missing

    def _answer(self, path: str, body: dict[str, Any], read: Callable[[dict[str, Any]], Chunk]) -> Iterator[Chunk]:
        for content in self._events(path, body):
            chunk = read(content)
            yield chunk
            if chunk.done:
                return
        raise AnswerError("The answer broke off before its end.", hint=BREAK_HINT)


def _is_vector(value: object) -> bool:
    try:
        return isinstance(value, list) and bool(value) and all(map(math.isfinite, value))
    except (TypeError, OverflowError):  # not a number, or too large for one
        return False

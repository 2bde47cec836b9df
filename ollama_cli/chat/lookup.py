"""What a server tells about a model, asked for while a person is typing already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from ollama_cli.api.model_info import ModelInfo
from ollama_cli.chat.backend import Opened
from ollama_cli.errors import CliError, SignInError


class Lookup:
    """Asks for a model's details in the background.

    Args:
        opened: The model and its server.
        when_done: Called with this, from another thread, when it is known, or known not to be.
    """

    def __init__(self, opened: Opened, when_done: Callable[[Lookup], None]) -> None:
        self.opened = opened
        self._found: Future[ModelInfo] = Future()
        self._when_done = when_done
        # A daemon thread: the program may end while a server that does not answer is waited for.
        threading.Thread(target=self._run, name="model lookup", daemon=True).start()

    def _run(self) -> None:
        try:
            self._found.set_result(look_up(self.opened))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asks
            self._found.set_exception(error)
        with suppress(RuntimeError):  # the line is gone
            self._when_done(self)

    @property
    def error(self) -> CliError | None:
        """What went wrong, or None while it is not known or where nothing did."""
        error = self._found.exception(timeout=0) if self._found.done() else None
        return error if isinstance(error, CliError) else None

    def info(self) -> ModelInfo:
        """The model's details; waits for them.

        Raises:
            CliError: They cannot be had.
        """
        return self._found.result()


def look_up(opened: Opened) -> ModelInfo:
    """Ask for a model's details, and whether a server that asks ollama.com is signed in there.

    Raises:
        SignInError: It is not.
        ModelNotFoundError: There is no such model.
    """
    info = opened.silent_client.show(opened.name)
    through_daemon = not opened.in_cloud and (opened.reference.source == "cloud" or info.remote_host)
    if through_daemon and (opened.reference.source == "cloud" or info.remote_host.startswith("https://ollama.com")):
        account, refused = opened.silent_client.account()
        if account is None:
            raise refused or SignInError("The server is not signed in.")
    return info

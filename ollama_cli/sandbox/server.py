"""Running the sandbox: within another command, or in the foreground.

>>> from pathlib import Path
>>> from tempfile import mkdtemp
>>> with EmbeddedSandbox(Path(mkdtemp())) as sandbox:
...     sandbox.url.startswith("http://127.0.0.1:")
True
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ollama_cli.sandbox import DEFAULT_PORT
from ollama_cli.sandbox.accounts import Accounts
from ollama_cli.sandbox.discovery import announce_server, forget_server, only_server
from ollama_cli.sandbox.faults import parse_fault
from ollama_cli.sandbox.registry_files import RegistryFiles
from ollama_cli.sandbox.shared import DEFAULT_PACE, Sandbox
from ollama_cli.secret import Secret
from ollama_cli.terminal.ending import endings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_SECONDS_TO_END = 5.0


class EmbeddedSandbox:
    """A sandbox in a thread of this process, at a free port, for as long as it is needed.

    It answers when the constructor returns. The account in the folder outlives it.

    Args:
        folder: Where the account stands.
        faults: What it is to fail at, as ``faults.py`` describes.
        pace: Seconds between the words of a streamed answer.
        port: Where to listen; 0 is any port that is free.

    Raises:
        UsageError: A fault is not written as it has to be, or the port cannot be had.
        StoreError: The folder cannot be used.
    """

    def __init__(self, folder: Path, *, faults: Sequence[str] = (), pace: float = DEFAULT_PACE, port: int = 0) -> None:
        self._prepared = _Prepared.make(folder, faults, pace, port)
        self._sandbox = self._prepared.sandbox
        self._ready = threading.Event()
        self._stop: Callable[[], None] | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ollama-cli sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    @property
    def url(self) -> str:
        """Where it is served, without a slash at its end."""
        return self._sandbox.base_url

    def approve(self, public_key: str, name: str) -> None:
        """Put a device on the account, as its page would."""
        self._sandbox.accounts.approve(public_key, name, int(self._sandbox.now()))

    def make_api_key(self, name: str = "") -> Secret:
        """Make an API key, as its page would."""
        return self._sandbox.accounts.make_api_key(name, int(self._sandbox.now()))

    def close(self) -> None:
        """End it, and every stream that is still open. A second time does nothing."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self._thread.join(_SECONDS_TO_END)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - the thread that waits for us raises it
            self._failure = error
        finally:
            self._prepared.listener.close()
            self._ready.set()

    async def _main(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def stop_from_elsewhere() -> None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(stop.set)

        self._stop = stop_from_elsewhere
        await self._prepared.run(stop, self._ready.set)


def serve(
    folder: Path,
    *,
    port: int = DEFAULT_PORT,
    faults: Sequence[str] = (),
    pace: float = DEFAULT_PACE,
    announce: Callable[[str], None],
) -> None:
    """Serve a folder's sandbox in the foreground, until Ctrl-C, SIGTERM or SIGHUP, at which it returns.

    Args:
        folder: Where the account stands, and where it is written down that this one serves it.
        port: Where to listen; 0 is any port that is free.
        faults: What it is to fail at, as ``faults.py`` describes.
        pace: Seconds between the words of a streamed answer.
        announce: Called with the URL once requests are answered.

    Raises:
        UsageError: A fault is not written as it has to be, the port cannot be had, or the folder is served already.
        StoreError: The folder cannot be used.
    """
    with only_server(folder):
        _serve(folder, _Prepared.make(folder, faults, pace, port), announce)


def _serve(folder: Path, prepared: _Prepared, announce: Callable[[str], None]) -> None:
    sandbox = prepared.sandbox

    def on_ready() -> None:
        announce_server(folder, sandbox.base_url, sandbox.instance)
        announce(sandbox.base_url)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in endings():
            with suppress(NotImplementedError):  # Windows: asyncio.run turns Ctrl-C into KeyboardInterrupt
                loop.add_signal_handler(number, stop.set)
        await prepared.run(stop, on_ready)

    try:
        with suppress(KeyboardInterrupt, asyncio.CancelledError):  # the second is one that came as the loop began
            asyncio.run(main())
    finally:
        prepared.listener.close()
        forget_server(folder, sandbox.instance)


@dataclass(frozen=True)
class _Prepared:
    """A sandbox with its account opened and its port bound, that answers nothing yet."""

    sandbox: Sandbox
    listener: socket.socket
    app: ASGIApp

    @classmethod
    def make(cls, folder: Path, faults: Sequence[str], pace: float, port: int) -> _Prepared:
        """Read the faults, open the account, bind the port."""
        from ollama_cli.sandbox.app import create_app
        from ollama_cli.sandbox.serving import LOOPBACK, bind

        plan = tuple(parse_fault(spec) for spec in faults)
        accounts = Accounts(folder)
        listener = bind(port)
        sandbox = Sandbox(
            accounts, f"http://{LOOPBACK}:{listener.getsockname()[1]}", RegistryFiles(folder / "registry"), pace
        )
        return cls(sandbox, listener, create_app(sandbox, plan))

    async def run(self, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Answer, until told to stop."""
        from ollama_cli.sandbox.serving import run

        await run(self.app, self.listener, stop, on_ready)

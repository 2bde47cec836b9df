"""The server as a whole: put together, announced, and ended."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ollama_cli.errors import CliError
from ollama_cli.secret import Secret
from ollama_cli.serve import paths
from ollama_cli.serve.account import Devices, me
from ollama_cli.serve.beside import Beside
from ollama_cli.serve.bodies import Shelf
from ollama_cli.serve.connections import MOST_CONNECTIONS
from ollama_cli.serve.gateway import Gateway
from ollama_cli.serve.guard import Guard
from ollama_cli.serve.listening import is_everywhere
from ollama_cli.serve.origins import Hosts, Origins
from ollama_cli.serve.refusals import RefusedError
from ollama_cli.serve.servers import Cloud, Server
from ollama_cli.serve.serving import serve_until
from ollama_cli.serve.signer import KeySource, Signer
from ollama_cli.terminal.ending import endings
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.transport.loop_faults import is_fault

_MOST_TOLD = 20
_SPARE_FILES = 64


@dataclass(frozen=True)
class Setup:
    """What a server is made of.

    Attributes:
        listener: Where it listens.
        address: That, for a person.
        cloud_url: ollama.com, or what stands in for it; None where cloud models are off.
        keys: Where the credential for it comes from.
        devices: What signs devices out.
        daemon_url: The Ollama server behind it, or None.
        hosts: The names that it is asked by; None where only who can open its socket reaches it.
        origins: The pages that may ask.
        token: What requests have to bring, or None.
        observe: Told of each request, or None.
        tell: Told what a person should know.
        on_ready: Called once requests are answered.
    """

    listener: socket.socket
    address: str
    cloud_url: str | None
    keys: KeySource
    devices: Devices
    daemon_url: str | None
    hosts: Hosts | None
    origins: Origins
    token: Secret | None
    observe: Callable[[str], None] | None
    tell: Callable[[str], None]
    on_ready: Callable[[], None]


def serve(setup: Setup) -> None:
    """Serve until Ctrl-C, SIGTERM or SIGHUP, at which it returns; a second one ends it at once."""
    _raise_file_limit()
    with suppress(KeyboardInterrupt, asyncio.CancelledError):  # the second is one that came as the loop began
        asyncio.run(_serve(setup))


async def _serve(setup: Setup) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.set_default_executor(Beside())
    loop.set_exception_handler(lambda _, told: _tell_of_fault(setup.tell, told))
    for number in endings():
        with suppress(NotImplementedError):  # Windows: asyncio.run turns Ctrl-C into KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    cloud = Cloud(setup.cloud_url, Signer(setup.keys)) if setup.cloud_url else None
    daemon = Server(setup.daemon_url) if setup.daemon_url else None
    stopping: asyncio.Future[None] = loop.create_future()
    gateway = Gateway(cloud, daemon, setup.devices, stopping, Shelf(), setup.observe, setup.tell)
    guard = Guard(
        gateway,
        hosts=setup.hosts,
        origins=setup.origins,
        token=setup.token,
        is_private=paths.is_private,
        tell=_Refusals(setup.tell),
    )
    telling: list[asyncio.Task[None]] = []

    def on_ready() -> None:
        more = ", and at every other address of this machine" if is_everywhere(setup.listener) else ""
        setup.tell(f"Listening at {setup.address}{more}")
        setup.on_ready()
        telling.append(loop.create_task(_tell_who(setup, cloud)))

    try:
        await serve_until(stop, guard, setup.listener, stopping, on_ready)
    finally:
        for task in telling:
            task.cancel()
        for server in filter(None, (cloud, daemon)):
            await server.close()


async def _tell_who(setup: Setup, cloud: Cloud | None) -> None:
    """Say who is signed in."""
    if cloud is None:
        setup.tell("Cloud models are off here; requests for them are refused.")
        return
    try:
        await cloud.signer.current()
        account = await me(cloud, setup.devices)
    except RefusedError as refused:
        if refused.signin_url:
            setup.tell(f"Not signed in: requests for cloud models are refused. Sign in at {refused.signin_url}")
        else:
            setup.tell(f"Who is signed in is not known: {cloud.base_url} could not be asked.")
        return
    except CliError as error:
        setup.tell(f"There is no credential for {cloud.base_url}: {error.message}")
        if error.hint:
            setup.tell(error.hint)
        return
    setup.tell(f"Signed in as {clean_line(account['name'])} ({clean_line(str(account['plan']))})")


class _Refusals:
    """Says which hosts and pages were refused, each once, and not without end."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[tuple[str, str]] = set()

    def __call__(self, kind: str, value: str) -> None:
        if (kind, value) in self._told or len(self._told) >= _MOST_TOLD:
            return
        self._told.add((kind, value))
        shown = clean_line(value)[:100]
        if kind == "host":
            self._tell(f"Refused a request to the host {shown!r}; --allow-host lets one in that is yours.")
        else:
            self._tell(f"Refused a request from the page {shown!r}; OLLAMA_ORIGINS lets pages in.")


def _tell_of_fault(tell: Callable[[str], None], told: dict[str, object]) -> None:
    """A fault in the machinery, without a traceback."""
    error = told.get("exception")
    if is_fault(told):
        tell(f"A fault within ollama-cli: {type(error).__name__ if error else told.get('message')}.")


def _raise_file_limit() -> None:
    """Have room for a connection on either side of each request."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
            )

"""A resolver that does not answer: it holds up neither the time limit of a connection nor Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from ollama_cli.errors import UnavailableError
from ollama_cli.transport.client import open_client
from ollama_cli.transport.failures import explained
from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.pooled import ResolvingBackend
from ollama_cli.transport.resolving import resolve

NAME = "slow.example"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Set once the resolver was asked; it answers only after the test."""
    begun, over = threading.Event(), threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        begun.set()
        over.wait()
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield begun
    over.set()


@pytest.mark.usefixtures("asked")
def test_the_limit_of_a_connection_holds_for_the_resolver_too() -> None:
    with (
        open_client(f"https://{NAME}", None, user_agent="test") as client,
        pytest.raises(UnavailableError) as raised,
        explained(f"https://{NAME}"),
    ):
        client.get("/", timeout=httpx.Timeout(30, connect=0.01))
    assert raised.value.code == "timeout"


def test_an_interrupt_does_not_wait_for_the_resolver(asked: threading.Event) -> None:
    def interrupt() -> None:
        asked.wait()
        os.kill(os.getpid(), signal.SIGINT)

    def raise_it(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, raise_it)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            ResolvingBackend().connect_tcp(NAME, 443, timeout=60)
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)


def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        known = [(0, 0, 0, "", (address, port)) for address in ("::1", "127.0.0.1")]

        def two_addresses(host: str, *rest: Any, **more: Any) -> Any:
            return known if host == NAME else real(host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
        ResolvingBackend().connect_tcp(NAME, port, timeout=30).close()


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "\udcff"], ids=["long", "odd"])
def test_a_name_that_cannot_be_one(name: str) -> None:
    with pytest.raises(httpcore.ConnectError):
        ResolvingBackend().connect_tcp(name, 443, timeout=30)


@pytest.mark.usefixtures("asked")
def test_a_name_alone_is_waited_for_so_long_and_no_longer() -> None:
    with pytest.raises(UnavailableError, match="was not resolved") as raised:
        resolve(NAME, 0.01)
    assert raised.value.code == "dns"
    assert resolve("192.0.2.1", 0.01) == ["192.0.2.1"]

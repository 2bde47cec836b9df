"""Fixtures for tests of the sandbox itself: one in this process, over real sockets, with no pause between words."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from ollama_cli.credentials.credential import ApiKey
from ollama_cli.credentials.device_key import DeviceKey
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.transport.auth import CredentialAuth

Connect = Callable[..., httpx.Client]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the sandbox's account stands."""
    return tmp_path / "sandbox"


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., EmbeddedSandbox]]:
    """Starts sandboxes on the same account, each with its faults."""
    with ExitStack() as stack:
        yield lambda *faults: stack.enter_context(EmbeddedSandbox(folder, faults=faults, pace=0))


@pytest.fixture
def embedded(start: Callable[..., EmbeddedSandbox]) -> EmbeddedSandbox:
    """A sandbox without faults."""
    return start()


@pytest.fixture
def key() -> DeviceKey:
    """A device's key."""
    return DeviceKey.generate()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens clients: as a device, as the holder of an API key, or as nobody."""
    with ExitStack() as stack:

        def open_client(sandbox: EmbeddedSandbox, credential: DeviceKey | ApiKey | None = None) -> httpx.Client:
            auth = CredentialAuth(credential, sandbox.url) if credential is not None else None
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # of no use here, and quicker than one with certificates
            client = httpx.Client(base_url=sandbox.url, auth=auth, verify=trust, trust_env=False, timeout=20)
            return stack.enter_context(client)

        yield open_client


@pytest.fixture
def nobody(embedded: EmbeddedSandbox, connect: Connect) -> httpx.Client:
    """A client without a credential; it keeps cookies, as a browser does."""
    return connect(embedded)


@pytest.fixture
def device(embedded: EmbeddedSandbox, connect: Connect, key: DeviceKey) -> httpx.Client:
    """A client that signs with a key that is on the account."""
    embedded.approve(key.public_key, "laptop")
    return connect(embedded, key)

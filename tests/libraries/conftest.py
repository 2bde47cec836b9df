"""What tests with other people's client libraries share: a sandbox, and a device on its account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from support import approved_key

from ollama_cli import DeviceKey
from ollama_cli.sandbox.server import EmbeddedSandbox

_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
_CREDENTIALS = ("OLLAMA_HOST", "OLLAMA_API_KEY", "OLLAMA_CLI_KEY", "OLLAMA_CLOUD_BASE_URL", "OPENAI_API_KEY")


@pytest.fixture(autouse=True)
def nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in (*_VARIABLES, *map(str.lower, _VARIABLES), *_CREDENTIALS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_CLI_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., EmbeddedSandbox]]:
    """Starts sandboxes with faults."""
    with ExitStack() as stack:

        def starter(*faults: str) -> EmbeddedSandbox:
            return stack.enter_context(EmbeddedSandbox(tmp_path_factory.mktemp("sandbox"), faults=faults, pace=0))

        yield starter


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSandbox]:
    """A sandbox without faults."""
    with EmbeddedSandbox(tmp_path_factory.mktemp("cloud"), pace=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def key(cloud: EmbeddedSandbox) -> DeviceKey:
    """A device key that is on the sandbox's account."""
    return approved_key(cloud)

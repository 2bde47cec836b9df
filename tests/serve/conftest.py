"""One gateway for many tests, before a cloud that each of them scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scripted_server import ScriptedServer, scripted_server
from serve_process import Serve, serve_process
from support import Cli, make_device


@pytest.fixture(scope="session")
def one_cloud() -> Iterator[ScriptedServer]:
    """The cloud of the session."""
    with scripted_server() as server:
        yield server


@pytest.fixture(scope="session")
def one_gateway(one_cloud: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """The gateway of the session, which has a key."""
    cli = Cli(tmp_path_factory.mktemp("gateway"), {"OLLAMA_CLOUD_BASE_URL": one_cloud.url})
    make_device(cli, one_cloud.url)
    with serve_process(cli) as serve:
        serve.hears("is not known|Signed in|Not signed in")
        yield serve


@pytest.fixture
def cloud(one_cloud: ScriptedServer, one_gateway: Serve) -> ScriptedServer:
    """The cloud, which has seen nothing yet."""
    one_cloud.seen.clear()
    return one_cloud


@pytest.fixture
def gateway(one_gateway: Serve, cloud: ScriptedServer) -> Serve:
    """The gateway before it."""
    return one_gateway


@pytest.fixture
def device(tmp_path: object, cloud: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Another device before the same cloud, with a key of its own, for a gateway that a test starts by itself."""
    cli = Cli(tmp_path_factory.mktemp("device"), {"OLLAMA_CLOUD_BASE_URL": cloud.url})
    make_device(cli, cloud.url)
    return cli

"""Fixtures for tests of the installed command."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from forking import Forks
from hypothesis import settings
from support import Cli, Sandbox, approve, make_device, wallet_of

from ollama_cli.sandbox.server import EmbeddedSandbox


def pytest_configure(config: pytest.Config) -> None:
    """Have commands that tests start see Ctrl-C, also when the tests themselves run in the background of a shell."""
    config.addinivalue_line("markers", "forked: many commands, which are forked from one process to take less time")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("tests", settings(), deadline=None)  # how long a busy machine takes is no test
    settings.register_profile("long", settings(), deadline=None, max_examples=20_000)
    settings.load_profile(config.getoption("--hypothesis-profile") or "tests")


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes with faults, in this process, for that is quicker; each is ended with the test."""
    with ExitStack() as stack:

        def starter(*faults: str) -> Sandbox:
            return Sandbox(stack.enter_context(EmbeddedSandbox(tmp_path_factory.mktemp("sandbox"), faults=faults)).url)

        yield starter


@pytest.fixture
def sandbox(start: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox without faults."""
    return start()


@pytest.fixture
def forks_if_marked(request: pytest.FixtureRequest) -> Forks | None:
    """Where commands are forked from, in a test that is marked so."""
    return request.getfixturevalue("forks") if request.node.get_closest_marker("forked") else None


@pytest.fixture
def cli(tmp_path: Path, forks_if_marked: Forks | None) -> Cli:
    """The installed command, with no keyring, no credential and ollama.com as its cloud."""
    return Cli(tmp_path, forks=forks_if_marked)


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Runs commands at a tenth of what a process of their own costs."""
    forking = Forks(tmp_path_factory.mktemp("forks"))
    yield forking
    forking.close()


@pytest.fixture
def device(tmp_path: Path, sandbox: Sandbox, forks_if_marked: Forks | None) -> Cli:
    """The installed command beside a sandbox, keeping its key in a file."""
    return Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url}, forks_if_marked)


@pytest.fixture
def signed_in(device: Cli, sandbox: Sandbox) -> Cli:
    """The same, signed in."""
    sign_in(device, sandbox)
    return device


def sign_in(device: Cli, sandbox: Sandbox) -> None:
    """Leave a device as ``signin`` and a person at the page do, without the time that they take."""
    approve(sandbox, make_device(device, sandbox.url))
    wallet = wallet_of(device)
    wallet.note_used(sandbox.url, wallet.ensure(sandbox.url), signed_in=True)

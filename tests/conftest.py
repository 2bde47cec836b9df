"""Fixtures for tests of the installed command."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import Cli, Sandbox, start_sandbox


def pytest_configure() -> None:
    """Have commands that tests start see Ctrl-C, also when the tests themselves run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes with faults; each is ended with the test."""
    started: list[Sandbox] = []

    def starter(*faults: str) -> Sandbox:
        started.append(start_sandbox(tmp_path_factory.mktemp("sandbox"), *faults))
        return started[-1]

    yield starter
    for sandbox in started:
        sandbox.process.terminate()
        sandbox.process.communicate(timeout=10)


@pytest.fixture
def sandbox(start: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox without faults."""
    return start()


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The installed command, with no keyring, no credential and ollama.com as its cloud."""
    return Cli(tmp_path)


@pytest.fixture
def device(tmp_path: Path, sandbox: Sandbox) -> Cli:
    """The installed command beside a sandbox, keeping its key in a file."""
    return Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})


@pytest.fixture
def signed_in(device: Cli, sandbox: Sandbox) -> Cli:
    """The same, signed in."""
    sign_in(device, sandbox)
    return device


def sign_in(device: Cli, sandbox: Sandbox) -> None:
    """Sign a device in as a script and a person at the page do."""
    link = device("--insecure-storage", "signin", "--no-wait").stdout.strip()
    assert sandbox.decide(link).status_code == 200
    assert device("status", "--quiet").returncode == 0

"""Fixtures for tests of pull and push without a daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lying_registry import Lying, lying_registry
from support import Cli, Sandbox

from ollama_cli.sandbox.server import EmbeddedSandbox


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes with faults, in this process: the command is started often enough."""
    with ExitStack() as stack:

        def starter(*faults: str) -> Sandbox:
            folder = tmp_path_factory.mktemp("sandbox")
            return Sandbox(stack.enter_context(EmbeddedSandbox(folder, faults=faults, pace=0)).url)

        yield starter


@pytest.fixture
def lying() -> Iterator[Lying]:
    """A registry that can be told to lie."""
    with lying_registry() as registry:
        yield registry


@pytest.fixture
def store(cli: Cli) -> Path:
    """Where the command keeps models."""
    return cli.home / ".ollama" / "models"

"""The examples in docs/libraries.md are run as they stand there; a sandbox answers them as ollama.com."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ollama_com import OllamaCom, ollama_com
from support import clean_environment
from watching_proxy import WatchingProxy

from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "libraries.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def proxy(cloud: EmbeddedSandbox) -> Iterator[WatchingProxy]:
    with WatchingProxy(cloud.url).running() as running:
        yield running


@pytest.fixture
def com(proxy: WatchingProxy, tmp_path: Path) -> Iterator[OllamaCom]:
    with ollama_com(proxy.url, tmp_path) as running:
        yield running


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_works(
    example: str, cloud: EmbeddedSandbox, proxy: WatchingProxy, com: OllamaCom, tmp_path: Path
) -> None:
    environment = clean_environment(tmp_path) | {**com.environment, "OLLAMA_CLOUD_BASE_URL": cloud.url}
    if "OLLAMA_CLOUD_BASE_URL" not in example:
        del environment["OLLAMA_CLOUD_BASE_URL"]
    wallet = open_wallet(Settings.from_environment(environment), new_store="file")
    for origin in ("https://ollama.com", cloud.url):
        cloud.approve(wallet.ensure(origin).credential.public_key, "the page's device")
    done = subprocess.run(
        [sys.executable, "-c", example], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    assert all(request.credential.startswith("SHA256:") for request in proxy.seen)
    assert bool(proxy.seen) == ("OLLAMA_CLOUD_BASE_URL" not in example)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```python") > 5

"""The examples in docs/libraries.md are run as they stand there; a sandbox answers them as ollama.com."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorder import OllamaCom
from support import clean_environment

from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "libraries.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def ollama_com(cloud: EmbeddedSandbox, tmp_path: Path) -> Iterator[OllamaCom]:
    proxy = OllamaCom(cloud.url, tmp_path)
    with proxy.running():
        yield proxy


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_works(example: str, cloud: EmbeddedSandbox, ollama_com: OllamaCom, tmp_path: Path) -> None:
    environment = clean_environment(tmp_path) | {**ollama_com.environment, "OLLAMA_CLOUD_BASE_URL": cloud.url}
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
    assert all(request.credential.startswith("SHA256:") for request in ollama_com.seen)
    assert bool(ollama_com.seen) == ("OLLAMA_CLOUD_BASE_URL" not in example)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```python") > 5

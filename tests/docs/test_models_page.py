"""The examples in docs/models.md are run by bash as they stand there; a scripted server answers them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from bash import PATH, run_in_bash
from documentation import ROOT, blocks, one_with
from recorded_sessions import work
from routed_server import routed_server
from support import clean_environment

EXAMPLES = blocks(ROOT / "docs" / "models.md")
DONE = [{"status": "success"}]
LAYER = {"status": "pulling 17", "digest": "sha256:17", "total": 20, "completed": 20}
ROUTES: list[dict[str, Any]] = [
    {"method": "POST", "path": "/api/create", "ndjson": DONE},
    {"method": "POST", "path": "/api/show", "json": {"capabilities": ["completion"]}},
    {"method": "POST", "path": "/api/generate", "ndjson": [{"response": "Air.", "done": True, "done_reason": "stop"}]},
    {"method": "POST", "path": "/api/pull", "ndjson": [LAYER, *DONE]},
    {"method": "POST", "path": "/api/copy", "text": ""},
    {"method": "POST", "path": "/api/me", "json": {"name": "ada", "email": "a@b"}},
    {"method": "POST", "path": "/api/push", "ndjson": DONE},
]
TOLD = {
    "FROM llama3.2": ("Air.\n", ["/api/create", "/api/generate"]),
    "sailor": ("", ["/api/create"]),
    "cp brief": ("Pushed: https://ollama.com/ada/brief\n", ["/api/pull", "/api/copy", "/api/push"]),
    "--json-lines": ("20 of 20 bytes\n", ["/api/pull"]),
}
"""What an example prints and asks for, by something that stands in it alone."""

pytestmark = pytest.mark.skipif(
    not all(shutil.which(name) for name in ("bash", "jq")), reason="bash or jq is not installed"
)


def test_every_example_is_expected_to_tell_something() -> None:
    assert len(EXAMPLES) == len(TOLD)


@pytest.mark.parametrize("word", TOLD)
def test_an_example_works(word: str, tmp_path: Path) -> None:
    with routed_server(ROUTES) as server:
        environment = clean_environment(tmp_path) | {"PATH": PATH, "OLLAMA_HOST": server.url}
        done = run_in_bash(one_with(word, EXAMPLES), tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, [path for _, path, _ in work(server.requests)]) == TOLD[word]

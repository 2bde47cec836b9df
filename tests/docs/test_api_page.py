"""The examples in docs/api.md are run by bash as they stand there; a scripted server is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bash import PATH, run_in_bash
from documentation import ROOT, blocks
from routed_server import routed_server
from support import clean_environment

CHAT = {"model": "gpt-oss:120b", "messages": [{"role": "user", "content": "Hello"}]}
ASKED = [
    ("GET", "/api/tags", None),
    ("POST", "/api/me", None),
    ("POST", "/api/show", {"model": "gpt-oss:120b"}),
    ("POST", "/v1/chat/completions", CHAT),
    ("DELETE", "/api/delete", {"model": "tiny"}),
]


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_the_examples_ask_for_what_the_page_says(tmp_path: Path) -> None:
    (examples,) = blocks(ROOT / "docs" / "api.md")
    with routed_server(
        [{"method": method, "path": path, "json": {"asked": path}} for method, path, _ in ASKED]
    ) as server:
        environment = clean_environment(tmp_path) | {"PATH": PATH, "OLLAMA_HOST": server.url}
        done = run_in_bash(examples, tmp_path, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert [(asked["method"], asked["path"], asked["json"]) for asked in server.requests] == ASKED
    assert [path for _, path, _ in ASKED if path not in done.stdout] == []

"""The examples in docs/api.md are run by bash as they stand there; a scripted server is asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from recorded import serving
from support import COMMAND, clean_environment

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
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
    (examples,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    with serving([{"method": method, "path": path, "json": {"asked": path}} for method, path, _ in ASKED]) as server:
        environment = clean_environment(tmp_path) | {
            "PATH": f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}",
            "OLLAMA_HOST": server.url,
        }
        done = subprocess.run(
            ["bash", "-ec", examples],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            timeout=100,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert [(asked["method"], asked["path"], asked["json"]) for asked in server.requests] == ASKED
    assert [path for _, path, _ in ASKED if path not in done.stdout] == []

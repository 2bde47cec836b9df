"""``run`` in the recorded sessions of the reference client: the same work asked for, the same read from it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from recorded_sessions import make_files, names, session, work
from routed_server import routed_server
from support import Cli, closed_port

NOT_SIGNED_IN = 4
CUT_SHORT = 8
OURS = {  # where it ends otherwise on purpose: an answer that breaks off is no success, a refused sign-in neither
    "run_end_without_done": CUT_SHORT,
    "run_unauthorized_at_generate": NOT_SIGNED_IN,
    "run_unauthorized_at_show": NOT_SIGNED_IN,
}
STATUSES = {
    "run_cloud_disabled": 5,
    "run_cut_stream": CUT_SHORT,
    "run_embedding_no_prompt": 2,
    "run_error_midstream": CUT_SHORT,
    "run_forbidden": 5,
    "run_image_model": 2,
    "run_keepalive_invalid": 2,
    "run_local_cloud_conflict": 2,
    "run_missing_everywhere": 3,
    "run_no_model": 2,
    "run_no_server": 7,
    "run_not_json_line": CUT_SHORT,
    "run_rate_limited": 6,
    "run_server_error_text": 7,
    "run_suggests_cloud": 3,
    "run_think_invalid": 2,
}
ANSWERS_IN_OUR_WORDS = {"run_tool_call": ("get_weather", '{"city":"Paris"}')}
SCREEN_CONTROLS = re.compile(r"\x1b\[K\n?")


def play(recorded: dict[str, Any], cli: Cli, folder: Path, *more: str) -> Any:
    """Run a session's command line against its server."""
    make_files(recorded, folder)
    routes = recorded.get("routes", [])
    with routed_server(routes) as server, closed_port() as port:
        host = f"http://127.0.0.1:{port}" if recorded.get("dead") else server.url
        done = cli(*recorded["argv"], *more, stdin=recorded.get("stdin", ""), env={"OLLAMA_HOST": host}, cwd=folder)
    return done, server.requests


@pytest.mark.parametrize("name", names("run_"))
def test_session(name: str, cli: Cli, tmp_path: Path) -> None:
    recorded = session(name)
    expected = recorded["expect"]

    done, requests = play(recorded, cli, tmp_path)

    assert done.returncode == OURS.get(name, STATUSES.get(name, 0)), done.stderr
    assert (expected["exit"] == 0) == (name not in STATUSES)
    assert work(requests) == work(expected.get("requests", []))
    for said in ANSWERS_IN_OUR_WORDS.get(name, ()):
        assert said in done.stdout
    if "stdout" in expected:
        assert done.stdout == expected["stdout"]
    elif "answer" in expected and name not in ANSWERS_IN_OUR_WORDS:
        assert done.stdout.rstrip("\n") == _unwrapped(expected["answer"]).rstrip("\n")
    for field, value in expected.get("statistics", {}).items():
        assert re.search(rf"^{field}: +{re.escape(value)}$", done.stderr, re.MULTILINE)
    # A daemon is sent no credential, and no time that a signature would hold.
    assert {request["authorization"] for request in requests} <= {None}
    assert {request["query"] for request in requests} <= {""}


@pytest.mark.parametrize("name", [name for name in names("run_") if "thinking" in session(name)["expect"]])
def test_thinking(name: str, cli: Cli, tmp_path: Path) -> None:
    expected = session(name)["expect"]

    done, _ = play(session(name), cli, tmp_path, "--json")

    answer = json.loads(done.stdout)
    assert answer["thinking"].split() == expected["thinking"].split()
    assert answer["answer"] == expected["answer"]


def _unwrapped(screen: str) -> str:
    """The answer without the line ends and sequences with which the reference wraps words also in a pipe."""
    return SCREEN_CONTROLS.sub("", screen)

"""The commands about models in the recorded sessions of the reference client, and at a real daemon's answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from recorded_sessions import make_files, names, session, work
from routed_server import routed_server
from support import Cli

from ollama_cli.terminal.words import moment_of, time_in_words

pytestmark = pytest.mark.forked

DAEMON = Path(__file__).parents[1] / "data" / "daemon"
STATUSES = {
    "cp_missing": 3,
    "rm_missing": 3,
    "show_missing": 3,
    "stop_missing": 3,
    "show_two_flags": 2,
    "create_bad_modelfile": 2,
    "create_no_modelfile": 2,
    "pull_error": 3,
    "push_denied": 5,
    "push_not_signed_in": 4,
    "unknown_command": 2,
    "unknown_flag": 2,
}
OURS = frozenset({"push_not_signed_in"})
"""Where the reference ends with 0 and ours does not: a refused sign-in is no success."""

MODIFIED_AT = "2026-08-01T10:00:00Z"
PREFIXES = ("list", "ls_", "show", "ps", "stop", "cp", "rm", "create", "pull", "push", "unknown_")
SESSIONS = [name for prefix in PREFIXES for name in names(prefix)]


def table(stdout: str) -> list[list[str]]:
    """What a script reads from a table: the columns of each line, blanks between and after them aside."""
    return [re.split(r" {2,}", line.rstrip()) for line in stdout.splitlines()]


@pytest.mark.parametrize("name", SESSIONS)
def test_session(name: str, cli: Cli, tmp_path: Path) -> None:
    recorded = session(name)
    make_files(recorded, tmp_path)
    expected = recorded["expect"]

    with routed_server(recorded["routes"]) as server:
        done = cli(*recorded["argv"], env={"OLLAMA_HOST": server.url}, cwd=tmp_path)

    assert done.returncode == STATUSES.get(name, 0), done.stderr
    assert (expected["exit"] == 0) == (name not in STATUSES or name in OURS)
    assert work(server.requests) == work(expected["requests"])
    assert {request["authorization"] for request in server.requests} <= {None}
    if "stdout" in expected:
        then = expected["stdout"].replace("3 months ago", time_in_words(moment_of(MODIFIED_AT)))
        assert table(done.stdout) == table(then)
    if any(flag in recorded["argv"] for flag in ("--license", "--modelfile", "--parameters", "--system", "--template")):
        assert done.stdout == expected.get("stdout", "")


def route(name: str) -> dict[str, Any]:
    """An exchange that was recorded at a real daemon, as a route that answers so."""
    asked, _, answered = (DAEMON / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    method, path = asked.split()[1:3]
    head, _, body = answered.partition("\n\n")
    status = int(head.split()[1])
    lines = [json.loads(line) for line in body.splitlines() if line.strip()]
    content = {"json": lines[0]} if len(lines) == 1 else {"ndjson": lines} if lines else {"text": ""}
    return {"method": method, "path": path, "status": status, **content}


@pytest.mark.parametrize(
    ("argv", "answers", "status", "shown"),
    [
        (["list"], ["tags"], 0, ["tiny-embed:latest", "9.1 MB", "19d3b2cf1f02"]),
        (["ps"], ["ps_loaded"], 0, ["tiny:latest", "10 MB", "100% CPU", "512", "1ae12ac86afe"]),
        (["ps"], ["ps_after"], 0, ["tiny-embed:latest", "74 MB", "100% CPU", "512"]),
        (["show", "tiny"], ["show"], 0, ["architecture        llama", "parameters          4.18M", '"<|im_start|>"']),
        (["show", "nope"], ["show_missing"], 3, ["There is no model 'nope'.", "`ollama-cli list` shows"]),
        (["cp", "tiny", "tiny2"], ["copy"], 0, ["tiny is tiny2 too now."]),
        (["cp", "nope", "x"], ["copy_missing"], 3, ["There is no model 'nope'."]),
        (["stop", "tiny"], ["show", "gen_unload"], 0, ["tiny is stopped."]),
        (["rm", "tiny2"], ["show", "gen_unload", "delete"], 0, ["tiny2 is deleted."]),
        (["rm", "tiny2"], ["show_missing", "delete_missing"], 3, ["There is no model 'tiny2'."]),
        (["ps"], ["ps_empty"], 0, ["NAME", "UNTIL"]),
        (["pull", "h:1/library/nope"], ["pull_missing"], 3, ["There is no model 'h:1/library/nope'."]),
        (["pull", "h:1/library/nope"], ["pull_noreg"], 7, ["cannot reach the registry", "connection refused"]),
        (["pull", "h:1/library/tiny"], ["pull_secure"], 2, ["does not speak TLS", "--insecure"]),
        (["push", "h:1/library/nope"], ["push_missing"], 3, ["The server has no model 'h:1/library/nope'."]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_daemon_s_answers(argv: list[str], answers: list[str], status: int, shown: list[str], cli: Cli) -> None:
    with routed_server([route(name) for name in answers]) as server:
        done = cli(*argv, env={"OLLAMA_HOST": server.url})
    assert done.returncode == status, done.stderr
    for text in shown:
        assert text in done.stdout + done.stderr


ABC = "/api/blobs/sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
VERSION = {"method": "GET", "path": "/api/version", "json": {"version": "0.1"}}
NOT_THERE = {**route("blob_head_missing"), "path": ABC}
NOT_TAKEN = {**route("blob_badsum"), "path": ABC}


@pytest.mark.parametrize(
    ("modelfile", "more", "routes", "status", "shown"),
    [
        ("FROM tiny", [], ["create_from"], 0, "writing manifest\nsuccess\n"),
        ("FROM tiny", ["-q", "q8_0"], ["create_quant"], 0, "verifying conversion"),
        ("FROM tiny", [], ["create_nofrom"], 2, "neither 'from' or 'files' was specified"),
        ("FROM ./abc", [], ["blob_head", "create_badblob"], 2, "not in GGUF format"),
        ("FROM ./abc", [], [NOT_THERE, "blob_post", "create_from"], 0, "sending abc (3 B)"),
        ("FROM ./abc", [], [NOT_THERE, "blob_post_again", "create_from"], 0, "success"),
        ("FROM ./abc", [], [NOT_THERE, NOT_TAKEN], 2, "digest mismatch"),
    ],
)
def test_a_daemon_s_answers_to_create(
    modelfile: str, more: list[str], routes: list[Any], status: int, shown: str, cli: Cli, tmp_path: Path
) -> None:
    make_files({"files": {"Modelfile": modelfile, "abc": "abc"}}, tmp_path)
    answers = [answer if isinstance(answer, dict) else route(answer) for answer in routes]
    with routed_server([VERSION, *answers]) as server:
        done = cli("create", *more, "mine", env={"OLLAMA_HOST": server.url}, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert shown in done.stderr
    asked = [f"{request['method']} {request['path']}" for request in server.requests]
    assert asked == [
        *(["GET /api/version"] if "./" in modelfile else []),
        *(f"{r['method']} {r['path']}" for r in answers),
    ]

"""Every command that asks a server, at one whose answers are changed in every part: a status of ours, no key lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from altering_server import ANSWERS, ERROR
from every_command import CLOUD, EVERY_COMMAND, LOCAL, command_line, furnish
from hypothesis import given
from hypothesis import strategies as st
from in_process import run_here, without_waits
from mutations import CONTROLS, examples, written
from stored_credentials import entries
from stub_server import Answer, Received, stub_server
from support import Cli

_LOCAL_ONLY = ("chats", "sandbox", "serve", "completion", "keys list", "keys show", "keys export", "profile list")
LINES = [
    *(command_line(name) for name in EVERY_COMMAND if not name.startswith((*_LOCAL_ONLY, "profile use"))),
    ["run", LOCAL, "hi", "--think", "--verbose"],
    ["run", CLOUD, "hi", "--json"],
    ["run", CLOUD, "hi", "--json-lines"],
    ["show", LOCAL, "--verbose"],
    ["list", "--cloud"],
    ["list", "--json"],
    ["ps", "--json"],
    ["fetch", "https://example.com", "--links"],
    ["api", "GET", "/api/tags", "-i"],
    ["signin", "--timeout", "0"],
    ["keys", "rotate", "--no-wait"],
]
RAW = {"api", "run", "fetch", "show"}
"""What prints a server's words as they are into a pipe, and what a pipe gets."""


@st.composite
def answers(draw: st.DrawFn) -> dict[str, tuple[int, bytes]]:
    """What is answered at each path: the truth, or one of its lines changed, or a refusal that is."""
    told: dict[str, tuple[int, bytes]] = {}
    for path, lines in ANSWERS.items():
        if draw(st.integers(0, 3)) == 0:
            told[path] = draw(st.sampled_from([400, 401, 403, 404, 500])), draw(written(ERROR))
            continue
        which = draw(st.integers(0, len(lines) - 1))
        parts = [draw(written(line)) if at == which else json.dumps(line).encode() for at, line in enumerate(lines)]
        told[path] = 200, b"\n".join(parts)
    return told


def test_whatever_is_answered_a_command_ends_in_a_status_of_ours(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_waits(monkeypatch)
    told: dict[str, tuple[int, bytes]] = {}

    def answer(request: Received) -> Answer:
        status, body = told.get(request.target.partition("?")[0], (200, b"{}"))
        return status, {"Content-Type": "application/json"}, body

    with stub_server(answer) as server:

        @examples(80)
        @given(st.sampled_from(LINES), answers(), st.booleans())
        def check(args: list[str], given_answers: dict[str, tuple[int, bytes]], named: bool) -> None:
            told.update(given_answers)
            home: Path = tmp_path_factory.mktemp("home")
            monkeypatch.chdir(home)
            daemon: dict[str, Any] = {"OLLAMA_HOST": server.url} if named else {}
            device = furnish(Cli(home, {"OLLAMA_CLOUD_BASE_URL": server.url, **daemon}), server.url)
            kept = entries(device)
            done = run_here(device.environment, *args)
            assert "that should not" not in done.said
            assert done.status in {*range(10), 130}
            assert not CONTROLS.search(done.said if args[0] in RAW else done.out + done.said)
            if done.status not in {0, None}:
                assert kept.items() <= entries(device).items()

        check()

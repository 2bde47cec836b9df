"""What a server refuses or fails with, in every command that asks one: its own status, and no longer wait than is told.

The commands run in this process, where the time that they would wait passes at once and is counted.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from every_command import EVERY_COMMAND, command_line
from in_process import run_here
from stored_credentials import entries, keep_key
from stub_server import Answer, Received, stub_server
from support import Cli, make_device

from ollama_cli.transport.retries import LONGEST_WAIT, TRIES


class Clock:
    """Time in which waiting takes none.

    Attributes:
        waited: The seconds that were waited for.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.waited = 0.0
        true = time.monotonic
        patch.setattr("time.sleep", self._sleep)
        patch.setattr("time.monotonic", lambda: true() + self.waited)

    def _sleep(self, seconds: float) -> None:
        self.waited += seconds


@dataclass(frozen=True)
class Refusal:
    """What a server answers to everything, and what comes of it.

    Attributes:
        status: The HTTP status.
        retry_after: What it asks to wait.
        words: What it says.
        ends: The exit status.
        code: The error's code.
        tries: How often a request is sent.
    """

    status: int
    retry_after: str | None
    words: str
    ends: int
    code: str
    tries: int = 1


REFUSALS = [
    Refusal(403, None, "no", 5, "forbidden"),
    Refusal(404, None, "not here", 2, "bad_request"),
    Refusal(429, None, "you have reached your usage limit", 6, "limit_reached"),
    Refusal(429, "29", "too many requests", 6, "overloaded", 2),
    Refusal(429, "\x1b[2J", "too many requests", 6, "overloaded", TRIES),
    Refusal(500, None, "oh no", 7, "server_error"),
    Refusal(502, "0", "bad gateway", 7, "server_error", TRIES),
    Refusal(503, None, "overloaded", 7, "server_error", TRIES),
    Refusal(503, "29", "overloaded", 7, "server_error", 2),
    Refusal(503, "9" * 300, "overloaded", 7, "server_error"),
]
_ASK_NOBODY = ("chats", "sandbox", "serve", "completion", "keys list", "keys show", "keys import", "keys export")
_ASKING = [name for name in EVERY_COMMAND if not name.startswith((*_ASK_NOBODY, "profile list", "profile use"))]
_AT_A_DAEMON = {"list", "ps", "stop", "cp", "rm", "create", "pull", "push"}
_ABOUT_A_MODEL = {"run", "show", "stop", "cp", "rm", "create", "pull", "push"}
_CONFIRMING = {"signout", "keys revoke", "profile remove"}
_SEVERAL = {"doctor": 3, "rm": 2, "pull": 2, "push": 2}
"""How many requests some commands send one after the other although the first was refused."""


def expected(refusal: Refusal, name: str) -> tuple[int, str]:
    """Exit status and code of a command that is refused so."""
    if refusal.status == 404 and name in _ABOUT_A_MODEL:
        return 3, "model_not_found"
    if refusal.status == 404 and name in _CONFIRMING:  # the server does not tell its time: nothing is forgotten
        return 7, "unconfirmed"
    if refusal.status == 500 and name in {"create", "pull", "push"}:  # a daemon says so that its own work failed
        return 8, "answer_incomplete"
    return refusal.ends, refusal.code


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "Modelfile").write_text("FROM tiny\n")
    return tmp_path


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal.status}, {refusal.retry_after!a:.9}")
def test_every_command_tells_a_refusal_in_its_own_way_and_in_time(
    home: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    monkeypatch.chdir(home)

    def answer(_: Received) -> Answer:
        asked = {} if refusal.retry_after is None else {"Retry-After": refusal.retry_after}
        return (
            refusal.status,
            {"Content-Type": "application/json", **asked},
            json.dumps({"error": refusal.words}).encode(),
        )

    clock = Clock(monkeypatch)
    with stub_server(answer) as server:
        device = Cli(home, {"OLLAMA_CLOUD_BASE_URL": server.url})
        make_device(device, server.url)
        keep_key(device, server.url, "work")
        kept = entries(device)
        for name in _ASKING:
            server.received.clear()
            before = clock.waited
            at_daemon = {"OLLAMA_HOST": server.url} if name in _AT_A_DAEMON else {}
            done = run_here(device.environment | at_daemon, *command_line(name, as_json=True))
            told = json.loads(done.said.splitlines()[-1])["error"]
            assert (done.status, told["code"]) == expected(refusal, name), (name, told)
            assert told["hint"], name
            assert len(told["hint"]) < 400, name
            most = _SEVERAL.get(name, 1)
            assert clock.waited - before <= LONGEST_WAIT * most, name
            assert len(server.received) <= refusal.tries + TRIES * (most - 1), name
            assert entries(device) == kept, name

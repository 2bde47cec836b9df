"""A key that the server does not know is forgotten only after a second look, with a clock that is known to be right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from forking import Forks
from in_thread import in_thread
from support import Cli, make_device

from ollama_cli.sandbox.server import EmbeddedSandbox

pytestmark = pytest.mark.forked

COMMANDS = [["signout"], ["keys", "revoke", "--yes"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("fault", "status", "sentence"),
    [
        ("status:503", 7, "The server failed with status 503"),
        ("drop", 7, "broke off"),
        ("body:html", 7, "not what an Ollama server answers"),
        ("status:401+body:html", 7, "What answered is no Ollama server"),
        ("status:401+body:empty", 7, "What answered is no Ollama server"),
        ("skew:200000", 4, "clock"),
        ('body:{"name":"sandbox"}', 7, "yet says that it is signed in"),
    ],
)
def test_a_second_look_that_fails_forgets_nothing(
    tmp_path: Path, fault: str, status: int, sentence: str, command: list[str], forks: Forks
) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", faults=[f"POST /api/me={fault}"]) as faulty:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": faulty.url}, forks)
        make_device(device, faulty.url)  # and nobody approves it
        done = device(*command)
    assert done.returncode == status
    assert sentence in done.stderr
    assert kept(device)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("skew", [-900, 3600])
@pytest.mark.parametrize("approved", [False, True], ids=["unknown", "approved"])
def test_a_clock_that_can_be_mended_is_mended_before_anything_is_forgotten(
    tmp_path: Path, *, skew: int, approved: bool, command: list[str], forks: Forks
) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", faults=[f"*=skew:{skew}"]) as away:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": away.url}, forks)
        key = make_device(device, away.url)
        if approved:
            away.approve(key.public_key, "device")
        done = device(*command)
    assert done.returncode == (0 if approved or command == ["signout"] else 4)
    assert "clock" in done.stderr
    assert not kept(device)


@contextmanager
def server_without_time(*methods: str) -> Iterator[str]:
    """A server that refuses every signature and does not say what time it is, where a request has such a method."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"error": "unauthorized"}).encode()
            self.send_response_only(401)  # without Date
            if self.command not in methods:
                self.send_header("Date", self.date_time_string())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_DELETE = do_POST  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the library
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with in_thread(listening):
        yield f"http://127.0.0.1:{listening.server_address[1]}"


@pytest.mark.parametrize("methods", [("DELETE", "POST"), ("POST",)], ids=["at both looks", "at the second"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_refusal_without_the_servers_time_forgets_nothing(
    tmp_path: Path, command: list[str], methods: tuple[str, ...], forks: Forks
) -> None:
    with server_without_time(*methods) as url:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": url}, forks)
        make_device(device, url)
        done = device(*command)
    assert done.returncode == 7
    assert "does not tell its time" in done.stderr
    assert kept(device)


def kept(device: Cli) -> bool:
    """Whether the device still has its key, and still lists it."""
    data = device.home / "state" / "data"
    listed = json.loads((data / "credentials.json").read_text())["credentials"]
    stored = list((data / "keys").iterdir())
    assert len(listed) == len(stored)
    return bool(stored)

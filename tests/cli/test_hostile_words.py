"""Escape sequences and marks of direction in everything that is said to us: none reaches a terminal.

The commands run in this process, at a terminal that draws nothing: whatever sequence comes there is not ours.
``test_every_command.py`` does the same at a real one, for answers and some refusals.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from altering_server import altering_server, each_string
from every_command import CLOUD, EVERY_COMMAND, LOCAL, command_line, furnish
from in_process import Done, run_here, without_waits
from lying_registry import RegistryHandler, lying_registry
from mutations import CONTROLS, EVIL
from support import Cli

from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message, Role
from ollama_cli.chat.session import Session

MORE = [
    ["run", LOCAL, "hi", "--think", "--verbose"],
    ["run", CLOUD, "hi", "--markdown"],
    ["list", "--cloud"],
    ["api", "-i", "GET", "/api/tags"],
    ["--debug", "run", LOCAL, "hi"],
    ["keys", "rotate", "--no-wait"],
    ["signin", "--timeout", "1"],
    ["status"],
]
DRAWS_NOTHING = {"TERM": "dumb", "NO_COLOR": "1"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    without_waits(monkeypatch)
    monkeypatch.setattr("ollama_cli.registry.persistence._FIRST_WAIT", 0.0)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(device: Cli, *args: str) -> Done:
    """What a command shows at a terminal; nothing in it is for the terminal."""
    done = run_here(device.environment, *args, at_terminal=True)
    assert not CONTROLS.search(done.out + done.said), args
    assert "that should not" not in done.said
    return done


@pytest.mark.parametrize("status", [200, 402, 403, 404, 410, 429, 500])
@pytest.mark.parametrize("named", [True, False], ids=["OLLAMA_HOST", "ollama.com"])
def test_whatever_a_server_says_is_text(home: Path, status: int, named: bool) -> None:
    with altering_server(each_string(lambda text: f"{text}{EVIL}"), status=status, said="\x1b[2J\x9b31m") as url:
        daemon = {"OLLAMA_HOST": url} if named else {}
        device = furnish(Cli(home, {"OLLAMA_CLOUD_BASE_URL": url, **DRAWS_NOTHING, **daemon}), url)
        lines = [
            command_line(name) for name in EVERY_COMMAND if not name.startswith(("chats", "sandbox", "profile use"))
        ]
        said = ""
        for args in [*lines, *MORE]:
            done = shown(device, *args)
            said += done.out + done.said
    assert "news" in said


def test_whatever_a_chat_holds_is_text(home: Path) -> None:
    device = furnish(Cli(home, DRAWS_NOTHING), "http://127.0.0.1:9")
    roles: tuple[Role, ...] = ("user", "assistant", "tool", "system")
    said = [Message(role, f"sky {EVIL}", thinking=EVIL) for role in roles]
    archive = Archive(home / "state" / "data" / "chats.sqlite3")
    KeptChat(archive, f"m{EVIL}".replace("\0", ""), print).keep(Session(f"m{EVIL}", said, system=EVIL))
    for args in (["list"], ["show"], ["search", "sky"], ["export", "2"]):
        assert "news" in shown(device, "chats", *args).out
    for args in (["chats", "continue"], ["run", "x", "--continue=2"], ["chats", "remove", "2", "--yes"]):
        shown(device, *args)


REFUSED = json.dumps({"errors": [{"code": f"X{EVIL}", "message": f"no{EVIL}"}]}).encode()
LAYERS = json.dumps({"layers": [{"digest": f"sha256:{EVIL}", "size": EVIL}]}).encode()
C1 = "\x9b31m"
"""A sequence that a header can hold."""

REGISTRY: dict[str, Callable[[RegistryHandler], bool]] = {
    "400": lambda handler: handler.send(400, REFUSED),
    "403": lambda handler: handler.send(403, REFUSED),
    "404": lambda handler: handler.send(404, REFUSED),
    "plain text": lambda handler: handler.send(500, f"news{EVIL}".encode()),
    "a manifest": lambda handler: handler.send(200, LAYERS),
    "a challenge": lambda handler: handler.send(401, b"", {"WWW-Authenticate": f"Basic{C1}\x1b[2J"}),
    "a realm": lambda handler: handler.send(401, b"", {"WWW-Authenticate": f'Bearer realm="http://a{C1}/"'}),
    "a redirect": lambda handler: handler.send(307, b"", {"Location": f"http://a{C1}/x"}),
    "a wait": lambda handler: handler.send(429, b"", {"Retry-After": C1, "X-Request-Id": C1}),
}


@pytest.mark.parametrize("which", REGISTRY)
def test_whatever_a_registry_says_is_text(home: Path, which: str) -> None:
    with lying_registry() as lying:
        lying.hook = REGISTRY[which]
        device = furnish(Cli(home, DRAWS_NOTHING), "http://127.0.0.1:9")
        done = shown(device, "pull", "--direct", "--insecure", f"{lying.host}/ada/x")
    assert done.status in range(1, 10)

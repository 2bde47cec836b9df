"""Faults around the account that no other table holds, each made to happen: its status, its code, its sentence.

The others stand where their means are: keyrings in test_keyring.py, homes and disks in test_surroundings.py, texts
that are no key in test_key_texts.py, the shapes of a 401 in test_refusals.py, keys in test_keys.py and
test_second_look.py, servers and networks in test_faults_table.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from forking import Forks
from support import Cli, make_device

from ollama_cli.sandbox.accounts import Accounts
from ollama_cli.sandbox.server import EmbeddedSandbox

pytestmark = pytest.mark.forked

STATUS, SIGNIN, SIGNOUT = ["status"], ["signin", "--no-wait"], ["signout"]
REVOKE = ["keys", "revoke", "--yes"]
TESTS = str(Path(__file__).parents[1])


@dataclass(frozen=True)
class Row:
    """A fault, and what comes of it.

    Attributes:
        name: What goes wrong.
        args: The command that it happens to.
        status: The exit status.
        code: The error's word for scripts.
        message: A part of its sentence.
        hint: A part of what to do next.
        env: What the environment holds.
        fault: What the sandbox is told to get wrong.
        has_key: Whether the device has a key.
        denied: Whether a person has denied that key.
    """

    name: str
    args: list[str]
    status: int
    code: str
    message: str
    hint: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    has_key: bool = True
    denied: bool = False


def asks_for_signatures(host: str) -> dict[str, str]:
    return {"OLLAMA_HOST": host, "OLLAMA_AUTH": "1"}


ROWS = [
    # The store.
    Row(
        "a keyring that does not answer",
        SIGNIN,
        9,
        "store_slow",
        "did not answer within 10 seconds.",
        "--insecure-storage",
        {"PYTHON_KEYRING_BACKEND": "stores.backends.Slow", "PYTHONPATH": TESTS},
        has_key=False,
    ),
    # Origins.
    Row(
        "ollama.com without TLS",
        STATUS,
        1,
        "refused",
        "without TLS or at another port; nothing is sent",
        "OLLAMA_HOST=https://ollama.com",
        asks_for_signatures("http://ollama.com"),
    ),
    Row(
        "ollama.com at another port",
        STATUS,
        1,
        "refused",
        "without TLS or at another port; nothing is sent",
        "OLLAMA_HOST=https://ollama.com",
        asks_for_signatures("https://ollama.com:8443"),
    ),
    Row(
        "a look-alike without TLS",
        STATUS,
        1,
        "refused",
        "No credential is sent to http://ollama.com.evil.example: the connection is not encrypted.",
        "https://",
        asks_for_signatures("http://ollama.com.evil.example"),
    ),
    Row(
        "ollama.com as a user name",
        STATUS,
        2,
        "usage",
        "holds a user name",
        "up to the @",
        asks_for_signatures("https://ollama.com@evil.example"),
    ),
    Row(
        "a letter that looks like ollama.com's",
        STATUS,
        2,
        "usage",
        "which no server can be called",
        "xn--",
        asks_for_signatures("https://ollam\u0430.com"),
    ),
    Row(
        "another scheme",
        STATUS,
        2,
        "usage",
        "has the scheme 'ftp'",
        "https://HOST:PORT",
        asks_for_signatures("ftp://ollama.com"),
    ),
    Row(
        "an override that is not on this machine",
        STATUS,
        2,
        "usage",
        "OLLAMA_CLOUD_BASE_URL is not a bare loopback address.",
        "unset it",
        {"OLLAMA_CLOUD_BASE_URL": "https://ollama.com.evil.example"},
    ),
    *(
        Row(
            f"a redirect of {args[0]}",
            args,
            7,
            "redirect",
            "a redirect (307), which is not followed with a credential.",
            "OLLAMA_HOST",
            fault="*=redirect:https://ollama.com.evil.example/",
        )
        for args in (STATUS, SIGNIN, SIGNOUT, REVOKE)
    ),
    # Signing in.
    Row("nobody is waited for", SIGNIN, 4, "signin_required", "This device is not approved yet.", "same link"),
    Row(
        "nobody approves in time",
        ["signin", "--timeout", "0.1"],
        4,
        "signin_timeout",
        "Nobody approved this device in time.",
        "same link",
    ),
    Row(
        "a person denies it",
        ["signin", "--timeout", "0.1"],
        4,
        "signin_timeout",
        "Nobody approved this device in time.",
        denied=True,
    ),
    Row("denied, and asked", STATUS, 4, "signin_required", "This device is not signed in.", "signin", denied=True),
    Row("a name without end", [*SIGNIN, "--name", "x" * 65], 2, "usage", "at most 64 characters", "shorter --name"),
    Row("no network", SIGNIN, 7, "connection_lost", "broke off", "Try again", fault="*=drop"),
    Row(
        "no daemon",
        ["signin"],
        7,
        "connection_refused",
        "Nothing answers at 127.0.0.1:9.",
        "Start what is to listen there",
        env={"OLLAMA_HOST": "http://127.0.0.1:9"},
    ),
    Row(
        "the cloud is switched off",
        SIGNIN,
        5,
        "cloud_disabled",
        "ollama.com is not used here: OLLAMA_NO_CLOUD is set.",
        "lift the setting",
        {"OLLAMA_NO_CLOUD": "1"},
    ),
    # 401, for a clock that is too far away.
    *(
        Row(
            f"a clock that is days away, at {args[0]}",
            args,
            4,
            "clock_wrong",
            "this machine's clock is 2000",
            "Set the clock right",
            fault="*=skew:200000",
        )
        for args in (STATUS, SIGNIN, SIGNOUT, REVOKE)
    ),
    # Revoking.
    Row("no yes", ["keys", "revoke"], 2, "usage", "Revoking a key needs a yes.", "--yes"),
    Row("no key", REVOKE, 4, "signin_required", "This device has no key", "ollama-cli signin", has_key=False),
    *(
        Row(f"no network, at {args[0]}", args, 7, "connection_lost", "broke off", "Try again", fault="*=drop")
        for args in (SIGNOUT, REVOKE)
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_has_its_status_and_its_sentence(tmp_path: Path, row: Row, forks: Forks) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", faults=[row.fault] if row.fault else []) as sandbox:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url}, forks)
        if row.has_key:
            key = make_device(device, sandbox.url)
            if row.denied:
                Accounts(tmp_path / "sandbox").deny(key.public_key, "device", 0)
        before = kept(device)
        options = [] if "PYTHON_KEYRING_BACKEND" in row.env else ["--insecure-storage"]
        done = device(*options, *row.args, "--json", env=row.env)
    assert done.returncode == row.status, done.stderr
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (error["status"], error["code"]) == (row.status, row.code)
    assert row.message in error["message"]
    assert row.hint in (error["hint"] or "")
    assert "evil" not in (error["signin_url"] or "")
    assert before <= kept(device)  # whatever went wrong, the key is as it was


def kept(device: Cli) -> set[bytes]:
    """The keys that a device has."""
    return {path.read_bytes() for path in (device.home / "state").rglob("keys/*")}

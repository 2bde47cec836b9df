"""Two terminals at once: what one does to the key must not make the other say or forget something false."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import sign_in
from support import Cli, Sandbox, until
from terminals import LINK, finish, pexpect_child

from ollama_cli.credentials.index import CredentialIndex

SLOW_ONCE = "DELETE /api/user/keys/*=delay:4*1"


def asked(sandbox: Sandbox, method: str) -> int:
    return sum(request["method"] == method for request in sandbox.requests())


def wait_until_asked(sandbox: Sandbox, method: str, process: subprocess.Popen[str]) -> None:
    until(lambda: asked(sandbox, method), process)


@pytest.mark.parametrize("command", [["signout"], ["keys", "revoke", "--yes"]], ids=" ".join)
def test_a_slow_signout_leaves_the_key_of_a_new_signin(
    tmp_path: Path, start: Callable[..., Sandbox], command: list[str]
) -> None:
    slow = start(SLOW_ONCE)
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": slow.url})
    sign_in(device, slow)
    process = device.start(*command)
    wait_until_asked(slow, "DELETE", process)
    assert device("signout").returncode == 0
    sign_in(device, slow)
    process.communicate(timeout=30)
    assert device("status", "--quiet").returncode == 0


@pytest.mark.parametrize(
    "command", [["signout"], ["signout", "--local-only"], ["keys", "revoke", "--yes"]], ids=" ".join
)
@pytest.mark.parametrize("anew", [False, True], ids=["forgotten", "another key"])
def test_a_signin_whose_key_is_forgotten_meanwhile_stops_and_says_so(
    device: Cli, sandbox: Sandbox, command: list[str], *, anew: bool
) -> None:
    process = device.start("--insecure-storage", "signin", "--timeout", "60", "--json")
    wait_until_asked(sandbox, "POST", process)
    fingerprint = json.loads(device("keys", "list", "--json").stdout)[0]["fingerprint"]
    device(*command)
    if anew:
        device("--insecure-storage", "signin", "--no-wait")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 4
    assert json.loads(out) == {"signed_in": False, "signin_url": None}
    error = json.loads(err.splitlines()[-1])["error"]
    assert error["code"] == "key_forgotten"
    assert fingerprint in error["hint"]


def test_a_terminal_is_told_whom_it_waits_for(device: Cli) -> None:
    folder = device.home / "state" / "data"
    with CredentialIndex(folder / "credentials.json").locked():
        child = pexpect_child(device, "--insecure-storage", "signin", "--no-wait")
        child.expect_exact("Waiting for another ollama-cli")
    status, shown = finish(child)
    assert status == 4
    assert LINK.search(shown)

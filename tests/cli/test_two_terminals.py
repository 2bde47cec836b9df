"""Two terminals at once: what one does to the key must not make the other say or forget something false."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from conftest import sign_in
from support import NO_TLS, Cli, Sandbox, approve, until, wallet_of
from terminals import LINK, finish, pexpect_child

from ollama_cli import OllamaAuth
from ollama_cli.credentials.file_store import FileStore
from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.secret import Secret

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


def rotate(device: Cli, sandbox: Sandbox) -> str:
    """Do what ``keys rotate`` in another terminal does to the key; the new one's fingerprint."""
    wallet = wallet_of(device)
    old, rotation = wallet.ensure(sandbox.url).credential, wallet.rotation(sandbox.url)
    new = rotation.begin("file", "sandbox", None).credential
    approve(sandbox, new)
    rotation.take_over(new.public_key, leave_old=False)
    with httpx.Client(auth=OllamaAuth(old, sandbox.url), verify=NO_TLS, trust_env=False, timeout=30) as client:
        client.delete(f"{sandbox.url}/api/user/keys/{old.encoded}").raise_for_status()
    wallet.forget(sandbox.url, old.public_key)
    return new.fingerprint


def held_up(
    folder: Path, start: Callable[..., Sandbox], command: str, fault: str
) -> tuple[Cli, Sandbox, subprocess.Popen[str]]:
    """A command with --json, of a device that is signed in, and a server that answers one request of it late."""
    slow = start(fault)
    device = Cli(folder, {"OLLAMA_CLOUD_BASE_URL": slow.url})
    sign_in(device, slow)
    return device, slow, device.start(command, "--json")


def test_status_tells_of_the_new_key_where_a_rotation_ends_meanwhile(
    tmp_path: Path, start: Callable[..., Sandbox]
) -> None:
    device, slow, process = held_up(tmp_path, start, "status", "POST /api/me=delay:4*1")
    until(lambda: any(request["target"].startswith("/api/me") for request in slow.requests()), process)
    fingerprint = rotate(device, slow)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["fingerprint"] == fingerprint


def test_signout_does_not_say_that_a_device_is_off_whose_key_was_rotated_meanwhile(
    tmp_path: Path, start: Callable[..., Sandbox]
) -> None:
    device, slow, process = held_up(tmp_path, start, "signout", SLOW_ONCE)
    wait_until_asked(slow, "DELETE", process)
    rotate(device, slow)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (9, "")
    assert json.loads(err)["error"]["code"] == "keys_changed"
    assert device("status", "--quiet").returncode == 0
    assert device("signout").returncode == 0


def test_a_key_that_a_rotation_takes_away_while_it_is_read_is_no_key_lost(
    device: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(device, sandbox)
    get = FileStore.get
    done: list[str | None] = []

    def slow(store: FileStore, entry: str) -> Secret | None:
        if not done:
            done.append(None)
            done.append(rotate(device, sandbox))
        return get(store, entry)

    monkeypatch.setattr(FileStore, "get", slow)
    found = wallet_of(device).find(sandbox.url)
    assert found is not None
    assert found.credential.fingerprint == done[1]

"""``signin --use-ollama-key``: this device and the Ollama that is installed on it are one device."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import COMMAND, Cli, Sandbox
from terminals import finish, pexpect_child, printed

SHARED = "installed Ollama's"


@pytest.fixture
def ollama(device: Cli) -> Path:
    """The key of an Ollama that is installed for this user."""
    return make_ollama_key(device)


def make_ollama_key(device: Cli) -> Path:
    path = device.home / ".ollama" / "id_ed25519"
    path.parent.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def shared(device: Cli, sandbox: Sandbox, ollama: Path) -> Cli:
    """The command, signed in with that key."""
    link = device("--insecure-storage", "signin", "--use-ollama-key", "--no-wait").stdout.strip()
    assert sandbox.decide(link).status_code == 200
    assert device("status", "--quiet").returncode == 0
    return device


def fingerprint(path: Path) -> str:
    listed = subprocess.run(["ssh-keygen", "-l", "-f", str(path)], capture_output=True, text=True, check=True)
    return listed.stdout.split()[1]


def told(device: Cli, *args: str) -> dict[str, str]:
    answer: dict[str, str] = json.loads(device(*args, "--json").stdout)
    return answer


def index(device: Cli) -> Path:
    return device.home / "state" / "data" / "credentials.json"


def snapshot(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_both_are_one_device_and_the_key_is_only_read(device: Cli, sandbox: Sandbox, ollama: Path) -> None:
    before = snapshot(ollama.parent)
    done = device("--insecure-storage", "signin", "--use-ollama-key", "--no-wait")
    assert done.returncode == 4
    assert str(ollama) in done.stderr
    sandbox.decide(done.stdout.strip())
    status = told(device, "status")
    assert status["fingerprint"] == fingerprint(ollama)
    assert SHARED in status["source"]
    assert device("signin", "--use-ollama-key").returncode == 0
    assert device("run", "gpt-oss:120b-cloud", "hi").returncode == 0
    assert snapshot(ollama.parent) == before


def test_it_is_used_only_when_it_is_asked_for(signed_in: Cli, ollama: Path) -> None:
    assert told(signed_in, "status")["fingerprint"] != fingerprint(ollama)


def test_the_keys_that_are_listed_say_so(shared: Cli) -> None:
    assert "Ollama's too" in shared("keys", "list").stdout
    assert SHARED.partition("'")[0] in shared("keys", "show").stdout
    assert told(shared, "keys", "show")["shared_with"] == "ollama"


def test_signout_in_a_script_warns_goes_on_and_leaves_ollama_s_file(shared: Cli, ollama: Path) -> None:
    before = snapshot(ollama.parent)
    done = shared("signout")
    assert done.returncode == 0
    assert done.stderr.index("signs Ollama out as well") < done.stderr.index("Signed out")
    assert snapshot(ollama.parent) == before
    assert shared("status", "--quiet").returncode == 4
    assert not list((shared.home / "state" / "data" / "keys").iterdir())


@pytest.mark.parametrize(("answer", "status", "left"), [("y", 0, 4), ("n", 1, 0)])
def test_signout_at_a_terminal_warns_and_asks_first(shared: Cli, answer: str, status: int, left: int) -> None:
    child = pexpect_child(shared, "signout")
    child.expect("Sign both out")
    child.sendline(answer)
    assert finish(child)[0] == status
    assert "signs Ollama out as well" in printed(child)
    assert shared("status", "--quiet").returncode == left


def test_revoking_it_warns_first(shared: Cli) -> None:
    done = shared("keys", "revoke", "--yes")
    assert done.returncode == 0
    assert "signs Ollama out as well" in done.stderr


def test_forgetting_it_here_alone_warns_of_nothing(shared: Cli, ollama: Path) -> None:
    done = shared("signout", "--local-only")
    assert done.returncode == 0
    assert "Ollama out" not in done.stderr
    assert ollama.exists()


def test_another_key_that_is_signed_in_is_not_replaced(signed_in: Cli, ollama: Path) -> None:
    before = told(signed_in, "status")
    done = signed_in("--insecure-storage", "signin", "--use-ollama-key", "--json")
    assert done.returncode == 2
    error = json.loads(done.stderr)["error"]
    assert error["code"] == "signed_in_already"
    assert "signout" in error["hint"]
    assert told(signed_in, "status") == before


def test_another_key_that_is_on_no_account_gives_way(device: Cli, sandbox: Sandbox, ollama: Path) -> None:
    device("--insecure-storage", "signin", "--no-wait")
    done = device("--insecure-storage", "signin", "--use-ollama-key", "--no-wait")
    assert "takes its place" in done.stderr
    sandbox.decide(done.stdout.strip())
    assert told(device, "status")["fingerprint"] == fingerprint(ollama)


@pytest.mark.parametrize(
    ("fault", "status"),
    [("status:401+body:html", 7), ("status:401+body:empty", 7), ("skew:200000", 4), ("status:503", 7)],
)
def test_another_key_gives_way_only_when_the_server_says_for_certain_that_it_is_on_no_account(
    tmp_path: Path, start: Callable[..., Sandbox], fault: str, status: int
) -> None:
    faulty = start("POST /api/me=body:null*1", f"POST /api/me={fault}")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": faulty.url})
    device("--insecure-storage", "signin", "--no-wait")
    make_ollama_key(device)
    before = told(device, "keys", "show")
    done = device("--insecure-storage", "signin", "--use-ollama-key", "--no-wait")
    assert done.returncode == status
    assert "takes its place" not in done.stderr
    assert told(device, "keys", "show") == before


def test_another_key_stays_where_ollama_s_cannot_be_kept(device: Cli, ollama: Path) -> None:
    device("--insecure-storage", "signin", "--no-wait")
    before = told(device, "keys", "show")
    limited = ["sh", "-c", f"ulimit -f 0; exec {COMMAND} --insecure-storage signin --use-ollama-key --no-wait"]
    done = subprocess.run(limited, env=device.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 9
    assert "takes its place" not in done.stderr
    assert told(device, "keys", "show") == before


def test_a_list_that_was_written_before_keys_were_shared_is_read(signed_in: Cli) -> None:
    content = json.loads(index(signed_in).read_text())
    for record in content["credentials"]:
        del record["signed_in_at"]  # and what it is shared with is not said of it anyway
    index(signed_in).write_text(json.dumps(content))
    assert signed_in("status", "--quiet").returncode == 0
    assert told(signed_in, "keys", "show")["shared_with"] is None
    done = signed_in("signout")
    assert (done.returncode, "Ollama out" in done.stderr) == (0, False)


PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "there is no"),
        (b"", "empty"),
        (b"\xff\xfe\x00", "not text"),
        (b"garbage", "not a private key"),
        (PUBLIC.encode(), "a public key"),
        ("encrypted", "encrypted with a passphrase"),
        ("folder", "directory"),
        ("pipe", "not a file"),
    ],
    ids=["missing", "empty", "bytes", "garbage", "public", "encrypted", "folder", "pipe"],
)
def test_a_key_that_cannot_be_used_is_named_and_nothing_is_stored(
    device: Cli, text: bytes | str | None, sentence: str
) -> None:
    path = device.home / ".ollama" / "id_ed25519"
    path.parent.mkdir()
    if text == "encrypted":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(path)], check=True)
    elif text == "folder":
        path.mkdir()
    elif text == "pipe":
        os.mkfifo(path)
    elif isinstance(text, bytes):
        path.write_bytes(text)
    done = device("--insecure-storage", "signin", "--use-ollama-key", "--no-wait")
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert sentence in done.stderr
    assert done.stdout == ""
    assert not (device.home / "state").exists()


def test_an_encrypted_one_is_opened_at_a_terminal_and_keeps_its_passphrase(
    device: Cli, sandbox: Sandbox, ollama: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(ollama)], check=True)
    child = pexpect_child(device, "--insecure-storage", "signin", "--use-ollama-key", "--no-wait")
    child.expect("Passphrase for the installed Ollama")
    child.sendline("secret")
    assert finish(child)[0] == 4
    (copy,) = (device.home / "state" / "data" / "keys").iterdir()
    assert copy.read_text() == ollama.read_text()
    done = device("status")
    assert done.returncode == 9
    assert "encrypted with a passphrase" in done.stderr


def test_it_is_not_for_a_daemon_s_sign_in_nor_for_the_sandbox(device: Cli, sandbox: Sandbox, ollama: Path) -> None:
    for args, env in ((["signin"], {"OLLAMA_HOST": sandbox.url}), (["--sandbox", "signin"], {})):
        done = device("--insecure-storage", *args, "--use-ollama-key", env=env)
        assert done.returncode == 2
        assert "--use-ollama-key" in done.stderr
    assert not index(device).exists()


def test_without_a_home_it_says_so(device: Cli) -> None:
    environment = {**device.environment, "HOME": "", "USERPROFILE": ""}
    done = device("signin", "--use-ollama-key", env=environment)
    assert done.returncode == 2
    assert "HOME" in done.stderr

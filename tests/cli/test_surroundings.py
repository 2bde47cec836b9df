"""Homes and disks that are not what a command would wish: each is told, and nothing half-written is left."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support import AS_A_USER, COMMAND, SECONDS, Cli, Sandbox, needs_a_user, needs_mounts

from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")

MODEL = "gpt-oss:120b-cloud"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changing owners takes root")


@dataclass
class Surroundings:
    """Where a command runs.

    Attributes:
        variables: What stands in the environment; None is unset.
        prefix: What the command is started by.
        before: What a shell does before it.
    """

    variables: Mapping[str, str | None] = field(default_factory=dict)
    prefix: list[str] = field(default_factory=list)
    before: str = ":"

    def run(self, device: Cli, *args: str) -> subprocess.CompletedProcess[str]:
        environment = {**device.environment, **{name: text for name, text in self.variables.items() if text}}
        for name, text in self.variables.items():
            if text is None:
                environment.pop(name, None)
        script = f'{self.before} && exec {shlex.quote(COMMAND)} "$@"'
        return subprocess.run(
            [*self.prefix, "/bin/sh", "-c", script, "sh", *args],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=device.home,
            timeout=SECONDS,
            check=False,
        )


def state(device: Cli) -> Path:
    return device.home / "state"


def data(device: Cli) -> Path:
    return state(device) / "data"


def read_only_home(device: Cli) -> Surroundings:
    device.home.chmod(0o500)
    return Surroundings({"OLLAMA_CLI_HOME": None}, AS_A_USER)


def no_home(device: Cli) -> Surroundings:
    return Surroundings({"OLLAMA_CLI_HOME": None, "HOME": None}, AS_A_USER)


def home_that_cannot_be_made(device: Cli) -> Surroundings:
    return Surroundings({"OLLAMA_CLI_HOME": None, "HOME": "/proc/nobody"})


def full_disk(device: Cli) -> Surroundings:
    state(device).mkdir()
    fill = f"mount -t tmpfs -o size=64k tmpfs {state(device)} && ! head -c 1M /dev/zero 2>&- >{state(device)}/rest"
    return Surroundings(prefix=["unshare", "--mount", "--"], before=fill)


def no_file_may_grow(device: Cli) -> Surroundings:
    return Surroundings(before="ulimit -f 0")


def relative_folder(device: Cli) -> Surroundings:
    return Surroundings({"OLLAMA_CLI_HOME": "state"})


def file_in_its_place(device: Cli) -> Surroundings:
    state(device).write_text("here already")
    return Surroundings()


def everybody_s_folder(device: Cli) -> Surroundings:
    data(device).mkdir(parents=True)
    data(device).chmod(0o777)
    return Surroundings()


def group_s_key_folder(device: Cli) -> Surroundings:
    (data(device) / "keys").mkdir(parents=True)
    (data(device) / "keys").chmod(0o770)
    return Surroundings()


def somebody_else_s_folder(device: Cli) -> Surroundings:
    data(device).mkdir(parents=True)
    os.chown(data(device), 12345, 12345)
    return Surroundings()


FAULTS = [
    pytest.param(read_only_home, 9, "store_unavailable", "Permission denied", marks=needs_a_user, id="read-only home"),
    pytest.param(no_home, 9, "store_unavailable", "no home folder", marks=[needs_a_user, needs_root], id="no HOME"),
    pytest.param(home_that_cannot_be_made, 9, "store_unavailable", "cannot be written", id="HOME cannot be made"),
    pytest.param(full_disk, 9, "store_unavailable", "No space left", marks=needs_mounts, id="full disk"),
    pytest.param(no_file_may_grow, 9, "store_unavailable", "File too large", id="no file may grow"),
    pytest.param(relative_folder, 2, "usage", "no absolute path", id="relative OLLAMA_CLI_HOME"),
    pytest.param(file_in_its_place, 9, "store_unavailable", "Not a directory", id="OLLAMA_CLI_HOME is a file"),
    pytest.param(everybody_s_folder, 9, "store_unsafe", "other users", id="everybody can write"),
    pytest.param(group_s_key_folder, 9, "store_unsafe", "other users", id="the group can write keys"),
    pytest.param(somebody_else_s_folder, 9, "store_unsafe", "another user", marks=needs_root, id="another's folder"),
]
faults = pytest.mark.parametrize(("make", "status", "code", "sentence"), FAULTS)


@pytest.fixture
def device(tmp_path: Path, sandbox: Sandbox) -> Iterator[Cli]:
    home = tmp_path / "home"
    home.mkdir()
    yield Cli(home, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    home.chmod(0o700)


def files(folder: Path) -> dict[str, bytes]:
    """What is kept: not the lock, which is empty and stays, and not the cache, where it can be written."""
    kept = (path for path in folder.rglob("*") if path.suffix != ".lock" and "cache" not in path.parts)
    found = [path for path in kept if path.is_file()]
    return {str(path): path.read_bytes() for path in found}


@faults
@pytest.mark.parametrize("command", [["signin", "--no-wait", "--json"], ["run", MODEL, "hi"]], ids=["signin", "run"])
def test_a_key_that_cannot_be_kept_is_told_and_not_shown_to_anybody(
    device: Cli,
    sandbox: Sandbox,
    command: list[str],
    make: Callable[[Cli], Surroundings],
    status: int,
    code: str,
    sentence: str,
) -> None:
    surroundings = make(device)
    before = files(device.home)
    done = surroundings.run(device, "--insecure-storage", *command)
    assert done.returncode == status
    assert sentence in done.stderr
    if "--json" in command:
        assert json.loads(done.stderr)["error"]["code"] == code
    assert "/connect" not in done.stdout + done.stderr
    assert files(device.home) == before
    assert not sandbox.requests()


@pytest.mark.parametrize("make", [pytest.param(f.values[0], marks=f.marks, id=f.id) for f in FAULTS if 9 in f.values])
def test_what_needs_no_store_works_all_the_same(
    device: Cli, make: Callable[[Cli], Surroundings], tmp_path: Path
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    done = make(device).run(device, "--key-file", str(key), "status")
    assert done.returncode == 4
    assert f"--key-file {key}" in done.stderr


def test_a_folder_that_is_not_there_is_made_for_its_owner_alone(device: Cli, tmp_path: Path) -> None:
    home = tmp_path / "not" / "there"
    os_default = os.umask(0o002)
    try:
        done = device("--insecure-storage", "signin", "--no-wait", env={"OLLAMA_CLI_HOME": str(home)})
    finally:
        os.umask(os_default)
    assert done.returncode == 4
    made = [tmp_path / "not", home, home / "data", home / "data" / "keys"]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 4


@needs_a_user
@pytest.mark.parametrize("mask", ["177", "777"])
def test_a_mask_that_takes_too_much_away_makes_no_file_that_its_owner_cannot_use(device: Cli, mask: str) -> None:
    masked = Surroundings(prefix=AS_A_USER, before=f"umask {mask}")
    assert masked.run(device, "--insecure-storage", "signin", "--no-wait").returncode == 4
    again = masked.run(device, "keys", "list", "--json")
    assert (again.returncode, len(json.loads(again.stdout))) == (0, 1), again.stderr
    modes = {path.name: path.stat().st_mode & 0o777 for path in state(device).rglob("*")}
    assert set(modes.values()) == {0o600, 0o700}, modes


@pytest.fixture
def kept(device: Cli, sandbox: Sandbox) -> Cli:
    """A device that is signed in, before its surroundings change."""
    sandbox.decide(device("--insecure-storage", "signin", "--no-wait").stdout.strip())
    return device


def read_only(device: Cli) -> Surroundings:
    for folder in (data(device) / "keys", data(device), state(device)):
        folder.chmod(0o500)
    return Surroundings(prefix=AS_A_USER)


@pytest.mark.parametrize("make", [pytest.param(read_only, marks=needs_a_user), no_file_may_grow])
def test_a_signed_in_device_goes_on_and_signs_out_when_it_can_write_again(
    kept: Cli, make: Callable[[Cli], Surroundings]
) -> None:
    before = files(kept.home)
    surroundings = make(kept)
    assert surroundings.run(kept, "status", "--quiet").returncode == 0
    assert surroundings.run(kept, "run", MODEL, "hi").returncode == 0
    assert files(kept.home) == before
    done = surroundings.run(kept, "signout")
    assert done.returncode == 9
    assert "off your account" in done.stderr
    assert "still kept" in done.stderr
    assert set(files(kept.home)) <= set(before)
    for folder in (data(kept), data(kept) / "keys"):
        folder.chmod(0o700)
    assert kept("signout").returncode == 0
    assert kept("status", "--quiet").returncode == 4


@pytest.mark.parametrize("make", [pytest.param(read_only, marks=needs_a_user), no_file_may_grow])
def test_kept_chats_can_be_read_where_they_cannot_be_removed(kept: Cli, make: Callable[[Cli], Surroundings]) -> None:
    session = Session("gpt-oss:120b", [Message("user", "Why is the sky blue?")])
    KeptChat(Archive(data(kept) / "chats.sqlite3"), MODEL, print).keep(session)
    before = files(kept.home)
    surroundings = make(kept)
    shown = surroundings.run(kept, "chats", "show")
    assert (shown.returncode, ">>> Why is the sky blue?" in shown.stdout) == (0, True)
    done = surroundings.run(kept, "chats", "remove", "--all", "--yes", "--json")
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (1, "chats_unavailable")
    assert files(kept.home) == before
    for folder in (data(kept), data(kept) / "keys"):
        folder.chmod(0o700)


def test_status_says_that_a_file_is_not_encrypted(kept: Cli) -> None:
    assert "not encrypted" in kept("status").stdout


def test_a_key_file_that_others_can_write_is_refused(kept: Cli) -> None:
    (path,) = (data(kept) / "keys").iterdir()
    path.chmod(0o666)
    done = kept("status")
    assert done.returncode == 9
    assert str(path) in done.stderr


def test_without_a_keyring_nothing_is_written_in_the_clear(device: Cli) -> None:
    for args in (["signin", "--no-wait"], ["run", MODEL, "hi"]):
        done = device(*args)
        assert done.returncode == 9
        assert "--insecure-storage" in done.stderr
    assert files(device.home) == {}

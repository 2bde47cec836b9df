"""What must never happen, tried through the installed command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import sign_in
from support import Cli, Sandbox

MODEL = "gpt-oss:120b-cloud"


@pytest.mark.parametrize("skew", [-900, 3600])
def test_a_wrong_clock_is_mended_and_told(tmp_path: Path, start: Callable[..., Sandbox], skew: int) -> None:
    away = start(f"*=skew:{skew}")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": away.url})
    sign_in(device, away)
    done = device("run", MODEL, "hi")
    assert done.returncode == 0
    assert "clock" in done.stderr


def test_a_clock_more_than_a_day_away_is_not_believed(tmp_path: Path, start: Callable[..., Sandbox]) -> None:
    away = start("*=skew:100000")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": away.url})
    for args in (["signin", "--no-wait"], ["run", MODEL, "hi"], ["status"]):
        done = device("--insecure-storage", *args)
        assert done.returncode == 4
        assert "clock" in done.stderr
        assert "signed again" not in done.stderr


def test_debug_shows_no_secret(signed_in: Cli) -> None:
    pem = next((signed_in.home / "state" / "data" / "keys").iterdir()).read_text()
    secrets = pem.splitlines()[1:-1]
    for args in (["status"], ["run", MODEL, "hi"], ["run", "nonsense:cloud", "hi"], ["signin"], ["signout"]):
        done = signed_in("--debug", *args)
        shown = done.stdout + done.stderr
        assert "api/" in shown
        assert "Authorization" not in shown
        assert not re.search(r"[?&]ts=", shown)
        assert not [line for line in secrets if line in shown]
    failed = signed_in("--debug", "status", "--json")
    *before, last = failed.stderr.splitlines()
    assert json.loads(last)["error"]["status"] == failed.returncode == 4
    assert any("status.py" in line for line in before)  # where it was raised


def test_a_redirect_is_not_followed(tmp_path: Path, sandbox: Sandbox, start: Callable[..., Sandbox]) -> None:
    redirecting = start(f"/api/generate=redirect:{sandbox.url}/api/generate")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": redirecting.url})
    sign_in(device, redirecting)
    before = len(sandbox.requests())
    assert device("run", MODEL, "hi").returncode == 7
    assert len(sandbox.requests()) == before


def test_each_origin_has_a_key_of_its_own(signed_in: Cli, start: Callable[..., Sandbox]) -> None:
    other = start()
    signed_in("--insecure-storage", "run", MODEL, "hi", env={"OLLAMA_CLOUD_BASE_URL": other.url})
    pems = {path.read_text() for path in (signed_in.home / "state" / "data" / "keys").iterdir()}
    assert len(pems) == 2


def test_a_server_asked_to_be_signed_for_gets_a_key_of_its_own(signed_in: Cli, start: Callable[..., Sandbox]) -> None:
    daemon = start()
    done = signed_in(
        "--insecure-storage", "run", "gpt-oss:20b", "hi", env={"OLLAMA_HOST": daemon.url, "OLLAMA_AUTH": "1"}
    )
    assert done.returncode == 4
    assert len(list((signed_in.home / "state" / "data" / "keys").iterdir())) == 2


def test_no_key_is_sent_over_a_connection_that_is_not_encrypted(cli: Cli) -> None:
    done = cli("--insecure-storage", "run", "x", "hi", env={"OLLAMA_HOST": "http://host.invalid", "OLLAMA_AUTH": "1"})
    assert done.returncode == 1
    assert "not encrypted" in done.stderr


def test_a_stored_key_that_is_damaged_is_named_and_kept(signed_in: Cli) -> None:
    path = next((signed_in.home / "state" / "data" / "keys").iterdir())
    path.write_text("not a key")
    for args in (["status"], ["run", MODEL, "hi"], ["--insecure-storage", "signin"], ["signout"]):
        done = signed_in(*args)
        assert done.returncode == 9
        assert path.name.partition("%")[0] in done.stderr
    assert path.read_text() == "not a key"


def test_two_signins_at_once_end_with_one_key(device: Cli) -> None:
    processes = [device.start("--insecure-storage", "signin", "--no-wait") for _ in range(4)]
    links = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert len(links) == 1


@pytest.mark.parametrize(
    "text", ["", "   ", "garbage", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_a_key_file_that_is_no_key_is_named(device: Cli, tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    done = device("--key-file", str(path), "run", MODEL, "hi")
    assert done.returncode == 2
    assert str(path) in done.stderr


@pytest.mark.parametrize("args", [["--fault", "nonsense"], ["--port", "70000"]])
def test_a_sandbox_that_cannot_be_started_says_why(cli: Cli, args: list[str]) -> None:
    assert cli("sandbox", *args).returncode == 2


def test_a_port_that_is_taken_is_named(cli: Cli, sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    done = cli("sandbox", "--port", port)
    assert done.returncode == 2
    assert port in done.stderr

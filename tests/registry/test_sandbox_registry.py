"""The sandbox's registry by the installed command: tokens, private namespaces, redirected parts, mounts, refusals."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from models_on_disk import cheap_bytes, is_sound, put_model, same_model
from stored_credentials import keep_api_key
from support import Cli, Sandbox, make_device
from support import approve as put_on_account

from ollama_cli.sandbox.account_api import ACCOUNT
from ollama_cli.sandbox.registry_models import REPOSITORY

BIG = cheap_bytes(150_000_000, seed=1)
MINE = f"{ACCOUNT['name']}/big"
PATH = f"registry.ollama.ai/{MINE}/latest"


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])["error"]
    return error


def targets(sandbox: Sandbox, method: str, part: str = "") -> list[dict[str, Any]]:
    return [each for each in sandbox.requests() if each["method"] == method and part in each["target"]]


def device_of(sandbox: Sandbox, home: Path) -> Cli:
    """A device that is on the account, with its key in a file."""
    device = Cli(home, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    put_on_account(sandbox, make_device(device, sandbox.url))
    return device


def test_a_private_model_goes_there_in_redirected_parts_and_comes_back(
    start: Callable[..., Sandbox], tmp_path: Path
) -> None:
    # The first token has run out when the first part is sent, and once more when the first layer is loaded.
    sandbox = start("PATCH *=skew:3600*1", f"GET /v2/{MINE}/blobs/*=skew:3600*1")
    device, store, other = device_of(sandbox, tmp_path), tmp_path / ".ollama/models", tmp_path / "other"
    put_model(store, MINE, BIG, b"a template", b"")
    pushed = device("push", "--direct", MINE)
    assert (pushed.returncode, pushed.stdout) == (0, f"{sandbox.url}/{MINE}\n"), pushed.stderr
    assert len(targets(sandbox, "PUT", "/registry-store/uploads/")) == 2 + 1 + 1
    assert len(targets(sandbox, "GET", "/v2/token")) == 3  # to look, to push, and the one that took its place
    assert not any("authorization" in each["headers"] for each in targets(sandbox, "PUT", "/registry-store/"))

    again = device("push", "--direct", "--json", MINE)
    assert (again.returncode, json.loads(again.stdout)["url"]) == (0, f"{sandbox.url}/{MINE}")
    assert len(targets(sandbox, "PUT", "/registry-store/uploads/")) == 4

    pulled = device("pull", "--direct", "--json-lines", MINE, env={"OLLAMA_MODELS": str(other)})
    assert pulled.returncode == 0, pulled.stderr
    lines = [json.loads(line) for line in pulled.stdout.splitlines()]
    statuses = [line["status"] for line in lines[:-1]]
    assert statuses[0] == "pulling manifest"
    assert statuses[-3:] == ["verifying sha256 digest", "writing manifest", "success"]
    assert (lines[-1]["done"], lines[-1]["direct"], len(lines[-1]["layers"])) == (True, True, 4)
    assert same_model(store, PATH, other, PATH)
    assert is_sound(other)
    blobs = targets(sandbox, "GET", "/registry-store/blobs/")
    assert not any("authorization" in each["headers"] for each in blobs)
    assert {each["headers"]["host"].partition(":")[0] for each in blobs} == {"localhost"}


def test_a_layer_of_another_model_there_is_mounted(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = start()
    device, store = device_of(sandbox, tmp_path), tmp_path / ".ollama/models"
    put_model(store, f"{ACCOUNT['name']}/base", b"the layer of both")
    put_model(
        store, f"{ACCOUNT['name']}/derived", b"the layer of both", fields={"from": f"{ACCOUNT['name']}/base:latest"}
    )
    assert device("push", "--direct", f"{ACCOUNT['name']}/base").returncode == 0
    sent = len(targets(sandbox, "PATCH"))
    done = device("push", "--direct", f"{ACCOUNT['name']}/derived")
    assert done.returncode == 0, done.stderr
    mount = targets(sandbox, "POST", "mount=")[-1]
    assert f"from={ACCOUNT['name']}%2Fbase" in mount["target"]
    assert len(targets(sandbox, "PATCH")) == sent + 1  # the configuration only, whose origin no manifest tells
    page = device("api", "GET", f"/{ACCOUNT['name']}/derived")
    assert "A private model" in page.stdout


def test_what_is_there_is_not_loaded_again(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = start()
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})  # nobody has to be anybody for what is public
    for _ in range(2):
        assert device("pull", "--direct", "tiny").returncode == 0
    assert len(targets(sandbox, "GET", f"/v2/{REPOSITORY}/manifests/")) == 2
    assert len(targets(sandbox, "GET", f"/v2/{REPOSITORY}/blobs/")) == 4
    assert not targets(sandbox, "GET", "/v2/token")
    assert not (tmp_path / "state").exists()


def test_without_a_sign_in_the_error_names_the_link_and_what_is_needed(
    start: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = start()
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    api_key = device("pull", "--direct", "--json", MINE, env={"OLLAMA_API_KEY": "key"})
    assert (api_key.returncode, error_of(api_key)["code"]) == (4, "device_key_needed")
    assert not targets(sandbox, "GET", "/v2/token")
    make_device(device, sandbox.url)
    unknown = device("pull", "--direct", "--json", MINE)
    assert (unknown.returncode, error_of(unknown)["code"]) == (4, "signin_required")
    assert sandbox.decide(error_of(unknown)["signin_url"]).status_code == 200
    missing = device("pull", "--direct", "--json", MINE, env={"OLLAMA_API_KEY": "key"})  # and the device's key signs
    assert (missing.returncode, error_of(missing)["code"]) == (3, "model_not_found")


def test_an_api_key_that_is_kept_leads_to_another_profile(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = start()
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    link = device("--insecure-storage", "signin", "--no-wait", "--profile", "device").stdout.strip()
    assert sandbox.decide(link).status_code == 200
    keep_api_key(device, sandbox.url, "an-api-key", "default")
    refused = device("pull", "--direct", "--json", MINE)
    assert (refused.returncode, error_of(refused)["code"]) == (4, "device_key_needed")
    assert "--profile" in error_of(refused)["hint"]
    signed = device("pull", "--direct", "--json", "--profile", "device", MINE)
    assert (signed.returncode, error_of(signed)["code"]) == (3, "model_not_found")


def test_another_s_namespace_is_refused(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = start()
    device = device_of(sandbox, tmp_path)
    put_model(tmp_path / ".ollama/models", "ada/m", b"a layer")
    for command in ("pull", "push"):
        done = device(command, "--direct", "--json", "ada/m")
        assert (done.returncode, error_of(done)["code"]) == (5, "registry_denied")
        assert "ada/m" in error_of(done)["message"]
    assert not targets(sandbox, "PATCH")


def test_in_the_sandbox_a_sign_in_on_the_way_approves_itself(cli: Cli) -> None:
    done = cli("--sandbox", "pull", MINE)
    assert (done.returncode, "approves this device by itself" in done.stderr) == (3, True)
    done = cli("--sandbox", "pull", "tiny", env={"OLLAMA_MODELS": str(cli.home / "real")})
    assert done.returncode == 0, done.stderr
    assert not (cli.home / "real").exists()
    elsewhere = cli("--sandbox", "pull", "--insecure", "127.0.0.1:1/a/b")
    assert (elsewhere.returncode, "no other registry" in elsewhere.stderr) == (2, True)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (f"GET /v2/{REPOSITORY}/manifests/*=status:503*2", 0),
        ("GET /registry-store/*=reset*2", 0),
        ("GET /registry-store/*=cut*1", 0),
        ("GET /registry-store/*=status:403*3", 0),  # an address that is good for a moment only
        ("GET /registry-store/*=flip*1", 8),
        (f"GET /v2/{REPOSITORY}/blobs/*=status:404*1", 8),
        (f"GET /v2/{REPOSITORY}/manifests/*=status:401*1", 8),  # it wants a sign-in, and does not say how
        (f"GET /v2/{REPOSITORY}/manifests/*=body:html*1", 8),
        (f"GET /v2/{REPOSITORY}/blobs/*=redirect:http://example.com/x*1", 1),
        (f"GET /v2/{REPOSITORY}/blobs/*=redirect:/v2/{REPOSITORY}/blobs/x*11", 8),
        ("GET /registry-store/*=status:500*6", 7),
    ],
)
def test_a_fault_ends_with_its_status_and_a_second_run_finishes(
    start: Callable[..., Sandbox], tmp_path: Path, fault: str, status: int
) -> None:
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": start(fault).url})
    done = device("pull", "--direct", "--transfers", "1", "tiny")
    assert done.returncode == status, done.stderr
    store = tmp_path / ".ollama/models"
    assert not status or not [path for path in store.glob("manifests/*/*/*/*") if path.is_file()]
    assert not status or is_sound(store)
    assert device("pull", "--direct", "tiny").returncode == 0
    assert is_sound(store)

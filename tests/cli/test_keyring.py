"""The device key in a real Secret Service, through the installed command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from stores.secret_service import SecretService, secret_service
from support import Cli, Sandbox

MODEL = "gpt-oss:120b-cloud"


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    with secret_service(tmp_path_factory.mktemp("secrets")) as running:
        yield running


@pytest.fixture
def desktop(tmp_path: Path, sandbox: Sandbox, service: SecretService) -> Cli:
    """The installed command in a desktop session with a keyring."""
    return Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url, "DBUS_SESSION_BUS_ADDRESS": service.address})


def entries(service: SecretService) -> list[tuple[str, str]]:
    """Every label in the keyring, and the first line of its secret."""
    import secretstorage
    from jeepney.io.blocking import open_dbus_connection

    with open_dbus_connection(service.address) as connection:
        items = secretstorage.get_default_collection(connection).get_all_items()
        return [(item.get_label(), item.get_secret().decode().partition("\n")[0]) for item in items]


def test_a_key_is_stored_read_and_deleted(desktop: Cli, sandbox: Sandbox, service: SecretService) -> None:
    link = desktop("signin", "--no-wait").stdout.strip()
    sandbox.decide(link)
    (label, first_line), *others = entries(service)
    assert not others
    assert f"default@{sandbox.url}" in label
    assert first_line == "-----BEGIN OPENSSH PRIVATE KEY-----"
    assert not (desktop.home / "state" / "data" / "keys").exists()

    told = json.loads(desktop("status", "--json").stdout)
    assert told["signed_in"] is True
    assert told["source"] == "the system keyring"
    assert desktop("run", MODEL, "hi").returncode == 0

    assert desktop("signout").returncode == 0
    assert entries(service) == []


def test_a_locked_keyring_is_named_with_the_ways_out(desktop: Cli, service: SecretService) -> None:
    desktop("signin", "--no-wait")
    service.lock()
    done = desktop("status", "--json")
    assert done.returncode == 9
    error = json.loads(done.stderr)["error"]
    assert error["code"] == "store_locked"
    assert "--insecure-storage" in error["hint"]


def test_a_run_in_a_script_makes_a_key_and_prints_its_link(desktop: Cli, service: SecretService) -> None:
    done = desktop("run", MODEL, "hi")
    assert done.returncode == 4
    assert "/connect?name=" in done.stderr
    assert len(entries(service)) == 1

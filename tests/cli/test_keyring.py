"""The device key in a real Secret Service, through the installed command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stores.prompter import prompter
from stores.secret_service import SecretService, secret_service
from support import Cli, Sandbox
from terminals import finish, pexpect_child, printed

from ollama_cli import DeviceKey

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


def test_an_imported_key_is_stored_and_exported(desktop: Cli, service: SecretService) -> None:
    key = DeviceKey.generate()
    done = desktop("keys", "import", "-", stdin=key.to_openssh().reveal())
    assert "the system keyring" in done.stderr
    assert [first_line for _, first_line in entries(service)] == ["-----BEGIN OPENSSH PRIVATE KEY-----"]
    exported = desktop("keys", "export", "--yes", "-o", "-").stdout
    assert DeviceKey.from_openssh(exported).public_key == key.public_key
    service.lock()
    assert desktop("keys", "export", "--yes", "-o", "-").returncode == 9
    assert desktop("keys", "export", "--public").stdout == f"{key.public_key}\n"


def test_a_key_is_rotated_and_a_lock_between_two_steps_loses_nothing(
    desktop: Cli, sandbox: Sandbox, service: SecretService
) -> None:
    sandbox.decide(desktop("signin", "--no-wait").stdout.strip())
    sandbox.decide(desktop("keys", "rotate", "--no-wait").stdout.strip())
    assert sorted("#2" in label for label, _ in entries(service)) == [False, True]
    service.lock()
    done = desktop("keys", "rotate", "--json")
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (9, "store_locked")
    service.unlock()
    assert desktop("keys", "rotate").returncode == 0
    assert desktop("status", "--quiet").returncode == 0
    assert len(entries(service)) == 1


def test_a_new_key_goes_to_a_file_where_that_is_asked_for(
    desktop: Cli, sandbox: Sandbox, service: SecretService
) -> None:
    sandbox.decide(desktop("signin", "--no-wait").stdout.strip())
    sandbox.decide(desktop("--insecure-storage", "keys", "rotate", "--no-wait").stdout.strip())
    keys = json.loads(desktop("keys", "list", "--json").stdout)
    assert [(key["store"], key["rotation"]) for key in keys] == [("keyring", None), ("file", "new")]
    assert desktop("keys", "rotate").returncode == 0
    assert entries(service) == []
    assert "not encrypted" in json.loads(desktop("status", "--json").stdout)["source"]


def test_both_keys_of_a_rotation_are_told_of_where_their_keyring_is_left(
    desktop: Cli, sandbox: Sandbox, service: SecretService
) -> None:
    sandbox.decide(desktop("signin", "--no-wait").stdout.strip())
    desktop("keys", "rotate", "--no-wait")
    both = [key["fingerprint"] for key in json.loads(desktop("keys", "list", "--json").stdout)]
    service.lock()
    done = desktop("--insecure-storage", "signin", "--no-wait")
    assert done.returncode == 4
    assert len(both) == 2
    assert all(fingerprint in done.stderr for fingerprint in both)
    assert [key["store"] for key in json.loads(desktop("keys", "list", "--json").stdout)] == ["file"]


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


def test_signins_at_once_end_with_one_key(desktop: Cli, service: SecretService) -> None:
    processes = [desktop.start("signin", "--no-wait") for _ in range(4)]
    links = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert len(links) == 1
    assert len(entries(service)) == 1
    assert len(json.loads(desktop("keys", "list", "--json").stdout)) == 1


# Every fault, with its code and its sentence


def lock(service: SecretService) -> dict[str, str]:
    service.lock()
    return {}


def kill(service: SecretService) -> dict[str, str]:
    service.kill()
    return {}


def no_bus(_: SecretService) -> dict[str, str]:
    return {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"}


def configured(backend: str) -> Callable[[SecretService], dict[str, str]]:
    return lambda _: {"PYTHON_KEYRING_BACKEND": backend, "PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.mark.parametrize(
    ("make", "code", "sentence"),
    [
        pytest.param(lock, "store_locked", "is locked", id="locked"),
        pytest.param(kill, "store_absent", "no keyring on this system", id="killed"),
        pytest.param(no_bus, "store_absent", "no keyring on this system", id="no D-Bus"),
        pytest.param(configured("keyring.backends.null.Keyring"), "store_null", "stores nothing", id="null"),
        pytest.param(configured("keyring.backends.fail.Keyring"), "store_absent", "refuses everything", id="fail"),
        pytest.param(
            configured("keyrings.alt.file.PlaintextKeyring"), "store_plaintext", "not keep secrets safe", id="plaintext"
        ),
        pytest.param(configured("no.such.Keyring"), "store_absent", "cannot be used here", id="no such backend"),
        pytest.param(configured("stores.backends.Forgetful"), "store_forgets", "does not give it back", id="forgetful"),
        pytest.param(configured("stores.backends.Talkative"), "store_failed", "failed (KeyringError)", id="failing"),
    ],
)
def test_a_keyring_that_cannot_be_used_is_told_apart_with_the_ways_out(
    desktop: Cli,
    service: SecretService,
    sandbox: Sandbox,
    make: Callable[[SecretService], dict[str, str]],
    code: str,
    sentence: str,
) -> None:
    done = desktop("signin", "--no-wait", "--json", env=make(service))
    assert done.returncode == 9
    error = json.loads(done.stderr)["error"]
    assert (error["code"], error["status"]) == (code, 9)
    assert sentence in error["message"]
    for way in ("--insecure-storage", "OLLAMA_API_KEY", "--key-file"):
        assert way in error["hint"]
    written = [path.name for path in desktop.home.rglob("*") if path.is_file()]
    assert written in ([], ["credentials.lock"])
    assert not sandbox.requests()


def test_a_question_that_the_person_closes_is_told(desktop: Cli, service: SecretService) -> None:
    service.lock()
    desktop.environment["DISPLAY"] = ":9"
    with prompter(service.address, closes=True) as asked:
        status, shown = finish(pexpect_child(desktop, "signin"))
        assert asked.is_set()
    assert status == 9
    assert "closed without an answer" in shown


def test_a_person_is_told_what_is_waited_for_and_can_end_it(desktop: Cli, service: SecretService) -> None:
    service.lock()
    desktop.environment["DISPLAY"] = ":9"
    with prompter(service.address, closes=False):
        child = pexpect_child(desktop, "signin")
        child.expect("Waiting for the keyring")
        child.sendintr()
        assert finish(child)[0] == 130
    assert "Traceback" not in printed(child)


@pytest.mark.parametrize("make", [lock, kill, no_bus], ids=["locked", "killed", "no D-Bus"])
def test_a_key_in_a_keyring_that_is_closed_now_gives_way_to_one_in_a_file_when_that_is_asked_for(
    desktop: Cli, service: SecretService, sandbox: Sandbox, make: Callable[[SecretService], dict[str, str]]
) -> None:
    sandbox.decide(desktop("signin", "--no-wait").stdout.strip())
    assert desktop("status", "--quiet").returncode == 0
    old = json.loads(desktop("keys", "show", "--json").stdout)["fingerprint"]
    closed = make(service)
    for command in (["signin"], ["--insecure-storage", "run", MODEL, "hi"], ["signout", "--local-only"]):
        assert desktop(*command, env=closed).returncode == 9  # the new key has to be asked for, where it is signed in
    done = desktop("--insecure-storage", "signin", "--no-wait", env=closed)
    assert done.returncode == 4
    assert old in done.stderr
    assert "settings/keys" in done.stderr
    sandbox.decide(done.stdout.strip())
    status = json.loads(desktop("status", "--json", env=closed).stdout)
    assert status["signed_in"]
    assert "not encrypted" in status["source"]
    assert status["fingerprint"] != old
    assert desktop("signout", env=closed).returncode == 0


def test_a_key_in_a_keyring_that_can_be_used_stays_there(
    desktop: Cli, sandbox: Sandbox, service: SecretService
) -> None:
    sandbox.decide(desktop("signin", "--no-wait").stdout.strip())
    assert desktop("--insecure-storage", "signin").returncode == 0
    assert len(entries(service)) == 1
    assert json.loads(desktop("status", "--json").stdout)["source"] == "the system keyring"

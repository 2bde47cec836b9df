"""API keys: kept only once the server has taken them, never from a command line, and never in place of a live key."""

from __future__ import annotations

import json
import os
import re
import select
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from canaries import found
from forking import Forks
from stored_credentials import entries, index_file, keep_api_key, keep_key, listed
from support import SECONDS, Cli, Sandbox, approve, wallet_of
from terminals import Terminal

from ollama_cli.credentials.credential import ApiKey, StoredKey, StoredSecret
from ollama_cli.credentials.file_store import FileStore
from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.errors import StoreError
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.secret import Secret

NOWHERE = "http://127.0.0.1:9"
MODEL = "gpt-oss:120b-cloud"
PAGE = "/settings/keys"


pytestmark = pytest.mark.forked


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[EmbeddedSandbox]:
    """A sandbox in this process."""
    with EmbeddedSandbox(tmp_path / "cloud", pace=0) as sandbox:
        yield sandbox


@pytest.fixture
def device(tmp_path: Path, cloud: EmbeddedSandbox, forks: Forks) -> Cli:
    """The installed command beside it."""
    return Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": cloud.url}, forks)


def new_key(cloud: EmbeddedSandbox) -> str:
    return cloud.make_api_key().reveal()


def signin(device: Cli, secret: str, *args: str, **env: str) -> tuple[int, str, str]:
    done = device("--insecure-storage", "signin", "--api-key", *args, stdin=f"{secret}\n", env=env)
    return done.returncode, done.stdout, done.stderr


# Kept once it works


def test_an_api_key_is_checked_kept_used_and_forgotten(device: Cli, cloud: EmbeddedSandbox) -> None:
    secret = new_key(cloud)
    status, out, err = signin(device, secret, "--json")
    store = f"a file in {device.home}/state/data/keys, not encrypted"
    who = {"account": "sandbox", "email": "sandbox@localhost", "plan": "free"}
    told = {"signed_in": True, **who, "credential": "API key", "store": store, "profile": "default"}
    assert (status, json.loads(out), err) == (0, told, "")
    assert list(entries(device).values()) == [secret]
    shown = json.loads(device("status", "--json").stdout)
    assert (shown["credential"], shown["source"], shown["profile"]) == ("API key", store, "default")
    assert (shown["fingerprint"], shown["not_used"], shown["made"][:2]) == (None, None, "20")
    assert device("run", MODEL, "hi").returncode == 0
    done = device("signout")
    assert (done.returncode, f"{cloud.url}{PAGE}" in done.stderr) == (0, True)
    assert entries(device) == {}
    assert json.loads(device("signout", "--json").stdout)["outcome"] == "not_signed_in"


def test_an_api_key_that_is_refused_is_not_kept_and_the_old_one_stays(device: Cli, cloud: EmbeddedSandbox) -> None:
    status, out, err = signin(device, "refused-key")
    assert (status, out, "is refused, and not kept" in err, f"{cloud.url}{PAGE}" in err) == (4, "", True, True)
    assert entries(device) == {}
    first, second = new_key(cloud), new_key(cloud)
    assert signin(device, first)[0] == 0
    assert signin(device, "refused-key")[0] == 4
    assert signin(device, second, OLLAMA_CLOUD_BASE_URL=NOWHERE)[0] == 7
    assert list(entries(device).values()) == [first]
    assert signin(device, second)[0] == 0
    assert list(entries(device).values()) == [second]
    assert len(listed(device)["secrets"]) == 1


@pytest.mark.parametrize("text", ["", " \n", "two words", "one\ntwo", "wörd", "x" * 20_000, "a\x1b[31m"])
def test_what_is_no_api_key_is_no_request(device: Cli, cloud: EmbeddedSandbox, text: str) -> None:
    status, _, err = signin(device, text, OLLAMA_CLOUD_BASE_URL=NOWHERE)
    assert (status, entries(device)) == (2, {})
    assert text.strip() == "" or text.strip() not in err


def test_an_api_key_whose_account_is_not_told_is_taken_all_the_same(tmp_path: Path) -> None:
    with EmbeddedSandbox(tmp_path / "cloud", pace=0, faults=["/api/me=status:401"]) as cloud:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": cloud.url})
        status, _, err = signin(device, new_key(cloud))
        assert (status, "Signed in, with an API key" in err) == (0, True)
        shown = json.loads(device("status", "--json").stdout)
        assert (shown["signed_in"], shown["account"]) == (True, None)
        assert signin(device, "refused-key")[0] == 4


# The order of credentials


def test_the_environment_s_api_key_goes_before_the_kept_one_and_status_says_so(
    device: Cli, cloud: EmbeddedSandbox
) -> None:
    kept, given = new_key(cloud), new_key(cloud)
    status, _, err = signin(device, kept, OLLAMA_API_KEY=given)
    assert (status, "OLLAMA_API_KEY is used before the stored API key" in err) == (0, True)
    shown = json.loads(device("status", "--json", env={"OLLAMA_API_KEY": given}).stdout)
    assert (shown["source"], shown["profile"]) == ("OLLAMA_API_KEY", None)
    assert shown["not_used"].startswith("the API key of profile default, in a file in")
    named = json.loads(device("status", "--json", "--profile", "default", env={"OLLAMA_API_KEY": "refused"}).stdout)
    assert (named["signed_in"], named["profile"], named["not_used"]) == (True, "default", "OLLAMA_API_KEY")
    others = {"OLLAMA_API_KEY": given, "OLLAMA_CLI_KEY": "one", "OLLAMA_CLI_KEY_FILE": "other"}
    (told,) = [line for line in device("status", env=others).stdout.splitlines() if line.startswith("Not used")]
    assert re.match("Not used +OLLAMA_CLI_KEY; OLLAMA_CLI_KEY_FILE; the API key of profile default, in", told)
    done = device("signout", env={"OLLAMA_API_KEY": given})
    assert (done.returncode, "OLLAMA_API_KEY is still there" in done.stderr) == (0, True)


def test_a_refused_api_key_leads_to_its_page_and_to_no_link(device: Cli, cloud: EmbeddedSandbox) -> None:
    keep_api_key(device, cloud.url, "revoked-since")
    for args in (["run", MODEL, "hi", "--json"], ["status"], ["signin", "--json"], ["search", "x", "--json"]):
        done = device(*args)
        assert (done.returncode, "https://ollama.com/settings/keys" in done.stderr) == (4, True), args
        assert "`ollama-cli signin --api-key`" in done.stderr
        assert "connect?" not in done.stderr + done.stdout
    assert json.loads(device("run", MODEL, "hi", "--json").stderr)["error"]["code"] == "api_key_refused"
    assert list(entries(device).values()) == ["revoked-since"]


# A profile that has a device key


def test_a_device_key_on_an_account_is_not_replaced(cli: Cli, sandbox: Sandbox) -> None:
    device = Cli(cli.home, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    key = keep_key(device, sandbox.url, "default")
    approve(sandbox, key)
    status, _, err = signin(device, "whatever")
    assert (status, "is signed in already, with a device key" in err) == (2, True)
    assert "`ollama-cli signout` first" in err
    assert "ollama-cli --profile NAME signin --api-key" in err
    assert device("status", "--quiet").returncode == 0
    (path,) = (device.home / "state" / "data" / "keys").iterdir()
    path.unlink()
    status, _, err = signin(device, "whatever")
    assert (status, "which is gone from its store" in err) == (2, True)


def test_a_device_key_on_no_account_gives_way_once_the_api_key_works(device: Cli, cloud: EmbeddedSandbox) -> None:
    keep_key(device, cloud.url, "default")
    assert signin(device, "refused-key")[0] == 4
    assert wallet_of(device).find(cloud.url) is not None
    secret = new_key(cloud)
    status, _, err = signin(device, secret)
    assert (status, "device key was on no account" in err) == (0, True)
    assert list(entries(device).values()) == [secret]
    assert listed(device)["credentials"] == []
    for args in (["keys", "show"], ["keys", "export", "--public"], ["keys", "revoke", "--yes"]):
        done = device(*args)
        assert (done.returncode, "has an API key, and no device key" in done.stderr) == (4, True), args


def test_a_server_that_cannot_say_whether_the_device_is_on_an_account_keeps_it(device: Cli) -> None:
    keep_key(device, NOWHERE, "default")
    assert signin(device, "whatever", OLLAMA_CLOUD_BASE_URL=NOWHERE)[0] == 7
    assert wallet_of(device).find(NOWHERE) is not None


def test_a_device_key_in_a_closed_keyring_is_left_there_once_the_api_key_works(
    device: Cli, cloud: EmbeddedSandbox
) -> None:
    key = keep_key(device, cloud.url, "default")
    index_file(device).write_text(index_file(device).read_text().replace('"file"', '"keyring"'))
    assert device("signin", "--api-key", stdin=new_key(cloud)).returncode == 9
    assert signin(device, "refused-key")[0] == 4
    assert [record["public_key"] for record in listed(device)["credentials"]] == [key.public_key]
    status, _, err = signin(device, new_key(cloud))
    assert (status, "So the API key is kept, in a file that is not encrypted." in err) == (0, True)
    assert listed(device)["credentials"] == []
    assert [record["store"] for record in listed(device)["secrets"]] == ["file"]


def test_an_api_key_in_a_closed_keyring_is_replaced_by_one_in_a_file(device: Cli, cloud: EmbeddedSandbox) -> None:
    keep_api_key(device, cloud.url, "in the keyring")
    index_file(device).write_text(index_file(device).read_text().replace('"file"', '"keyring"'))
    assert device("signin", "--api-key", stdin=new_key(cloud)).returncode == 9
    assert listed(device)["secrets"][0]["store"] == "keyring"
    status, _, err = signin(device, new_key(cloud))
    assert (status, "what it replaces could not be deleted. There is no keyring" in err) == (0, True)
    assert [record["store"] for record in listed(device)["secrets"]] == ["file"]
    assert device("status", "--quiet").returncode == 0


# Cut short


class Killed(BaseException):
    """Stands for kill -9 in the middle of something."""


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize("before", ["nothing", "an API key", "a device key"])
def test_wherever_it_is_cut_short_the_next_try_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, before: str
) -> None:
    device = Cli(tmp_path)
    gives_way = keep_key(device, NOWHERE, "default").public_key if before == "a device key" else None
    if before == "an API key":
        keep_api_key(device, NOWHERE, "old")
    steps = 0

    def counted(original: Callable[..., object]) -> Callable[..., object]:
        def counting(*args: object) -> object:
            nonlocal steps
            steps += 1
            if steps > step:
                raise Killed
            return original(*args)

        return counting

    with monkeypatch.context() as patch:
        for cls, name in ((FileStore, "put"), (FileStore, "delete"), (CredentialIndex, "_write")):
            patch.setattr(cls, name, counted(getattr(cls, name)))
        with suppress(Killed):
            wallet_of(device).secrets.put(NOWHERE, "api_key", Secret("new"), in_place_of=gives_way)
    wallet = wallet_of(device)
    held: StoredKey | StoredSecret | None = None
    with suppress(StoreError):  # it is listed, and was not stored any more: that is told
        held = wallet.credential(NOWHERE)
    if before == "an API key":
        assert isinstance(held, StoredSecret)
        assert held.credential in {ApiKey(Secret("old")), ApiKey(Secret("new"))}
    if isinstance(held, StoredKey):
        assert held.credential.public_key == gives_way
    names = {quote(record.entry, safe="@") for record in wallet.profiles.listing().kept_by("default")}
    assert {name for name in entries(device) if name.startswith("api-key")} <= names
    record = wallet.record(NOWHERE)
    wallet.secrets.put(NOWHERE, "api_key", Secret("new"), in_place_of=record.public_key if record else None)
    held = wallet_of(device).credential(NOWHERE)
    assert isinstance(held, StoredSecret)
    assert held.credential == ApiKey(Secret("new"))
    assert wallet_of(device).record(NOWHERE) is None


def test_many_at_once_leave_what_is_listed_and_stored_alike(device: Cli) -> None:
    """Each has a list and a lock of its own, as processes have."""

    def keep_or_forget(number: int) -> None:
        secrets = wallet_of(device, f"profile-{number % 3}").secrets
        if number % 4 == 3:
            secrets.forget(NOWHERE, api_key=True)
        else:
            secrets.put(NOWHERE, "api_key", Secret(f"key-{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep_or_forget, range(24)))
    kept = listed(device).get("secrets", [])
    names = {f"api-key:{record['profile']}@{NOWHERE}" for record in kept}
    assert len(names) == len(kept)
    assert {unquote(name) for name in entries(device)} == names


def test_a_store_that_fails_leaves_what_was_listed(device: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_api_key(device, NOWHERE, "old")
    before = listed(device)

    def fail(*_: object) -> None:
        raise StoreError("no")

    monkeypatch.setattr(FileStore, "put", fail)
    with pytest.raises(StoreError):
        wallet_of(device).secrets.put(NOWHERE, "api_key", Secret("new"))
    assert listed(device) == before


# How it is given


@pytest.mark.parametrize(
    "args",
    [
        ["signin", "--api-key", "SECRET"],
        ["signin", "--api-key=SECRET"],
        ["login", "--json", "--api-key", "SECRET"],
        ["signin", "--host", "https://box", "--token", "SECRET"],
        ["signin", "--host", "https://box", "--token=SECRET"],
        ["signin", "--host", "https://box", "--token", "--basic", "SECRET"],
    ],
    ids=" ".join,
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(cli: Cli, args: list[str]) -> None:
    secret = "sk-a-secret-that-stands-where-all-see-it"
    done = cli("--debug", *(word.replace("SECRET", secret) for word in args))
    assert (done.returncode, "A secret stands on the command line" in done.stderr) == (2, True)
    assert not found({"secret": secret.encode()}, (done.stdout + done.stderr).encode())


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--api-key", "--qr"], "--qr does not go with --api-key"),
        (["--api-key", "--use-ollama-key"], "--use-ollama-key does not go"),
        (["--api-key", "--timeout", "1"], "--timeout does not go"),
        (["--api-key", "--token", "--host", "https://box"], "one of --api-key and --token"),
        (["--token"], "--token and --host go together"),
        (["--host", "https://box"], "--token and --host go together"),
        (["--basic"], "--basic goes with them"),
        (["--token", "--host", "https://box", "--cloud"], "--cloud does not go with --token"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_would_say_nothing_are_refused(
    told: str, args: list[str], run_in_process: Callable[[list[str]], tuple[int, str]]
) -> None:
    status, err = run_in_process(["signin", *args])
    assert (status, told in err) == (2, True), err


@pytest.fixture
def run_in_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[[list[str]], tuple[int, str]]:
    """Runs a command line that ends before it asks or keeps anything."""
    monkeypatch.setenv("OLLAMA_CLI_HOME", str(tmp_path))

    def run(args: list[str]) -> tuple[int, str]:
        from ollama_cli.main import main

        status = main(args)
        return status, capsys.readouterr().err

    return run


def test_an_api_key_is_for_ollama_com_alone(device: Cli, cloud: EmbeddedSandbox) -> None:
    status, _, err = signin(device, new_key(cloud), OLLAMA_HOST="http://127.0.0.1:9")
    assert (status, "OLLAMA_HOST names http://127.0.0.1:9" in err) == (2, True)
    assert signin(device, new_key(cloud), "--cloud", OLLAMA_HOST="http://127.0.0.1:9")[0] == 0


def test_at_a_terminal_an_api_key_is_asked_for_and_not_shown(device: Cli, cloud: EmbeddedSandbox) -> None:
    secret = new_key(cloud)
    browser, pipe = device.home / "browser", device.home / "opened"
    os.mkfifo(pipe)
    opened = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {pipe}\n')
    browser.chmod(0o755)
    terminal = Terminal(
        device, "--insecure-storage", "signin", "--api-key", env={"BROWSER": str(browser), "OLLAMA_API_KEY": "other"}
    )
    terminal.until_text("Open that page in the browser")
    terminal.type("y\r")
    terminal.until_text("API key:")
    terminal.type(f"{secret}\r")
    assert terminal.end() == 0
    assert not found({"API key": secret.encode()}, terminal.sent)
    with os.fdopen(opened) as link:
        select.select([link], [], [], SECONDS)  # nobody has waited for the browser
        assert link.read() == f"{cloud.url}{PAGE}"
    assert list(entries(device).values()) == [secret]


def test_an_api_key_that_is_gone_from_its_store_is_told(device: Cli, cloud: EmbeddedSandbox) -> None:
    keep_api_key(device, cloud.url, new_key(cloud))
    (path,) = (device.home / "state" / "data" / "keys").iterdir()
    path.write_text("no key\n")
    done = device("run", MODEL, "hi")
    assert (done.returncode, "holds something else" in done.stderr) == (9, True)
    path.unlink()
    done = device("run", MODEL, "hi")
    assert (done.returncode, "is no longer there" in done.stderr) == (9, True)
    assert "`ollama-cli signin --api-key` stores it anew, `ollama-cli signout` forgets it" in done.stderr
    assert device("signout").returncode == 0
    assert listed(device)["credentials"] == []


def test_doctor_tells_of_a_stored_api_key(device: Cli, cloud: EmbeddedSandbox) -> None:
    keep_api_key(device, cloud.url, new_key(cloud))
    told = device("doctor").stdout
    assert "An API key, from a file in" in told
    assert "It is not needed: the key is kept in a file" in told


def test_the_sandbox_keeps_an_api_key_of_its_own(device: Cli, cloud: EmbeddedSandbox) -> None:
    keep_api_key(device, cloud.url, new_key(cloud))
    done = device("--sandbox", "status", "--json")
    assert (done.returncode, json.loads(done.stdout)["credential"]) == (4, None)

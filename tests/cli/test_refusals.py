"""A 401 in every shape, for every credential: status 4, and the next step that helps with that credential."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import sign_in
from filelock import FileLock
from forking import Forks
from stored_credentials import keep_key
from stub_server import Answer, Received, stub_server
from support import Cli, Sandbox, make_device

from ollama_cli import DeviceKey, signin_url
from ollama_cli.credentials.public_key import encode_public_key

pytestmark = pytest.mark.forked

CLOUD, LOCAL = "gpt-oss:120b-cloud", "tiny"
GIVEN = DeviceKey.generate()
THEIRS = signin_url("their machine", DeviceKey.generate().public_key)
EVIL = THEIRS.replace("ollama.com", "ollama.com.evil.example")


def as_json(**content: object) -> bytes:
    return json.dumps(content).encode()


SHAPES = {
    "JSON with a link": as_json(error="unauthorized", signin_url=THEIRS),
    "JSON with a hostile link": as_json(error="unauthorized", signin_url=EVIL),
    "JSON with a link that is no text": as_json(error="unauthorized", signin_url={"url": EVIL}),
    "JSON without a link": as_json(error="unauthorized"),
    "JSON with a nested error": as_json(error={"message": "unauthorized", "type": "authentication_error"}),
    "JSON that is no object": b"null",
    "plain text": b"unauthorized",
    "HTML": b"<html><body><h1>401 Authorization Required</h1></body></html>",
    "empty": b"",
    "no UTF-8": b"\xff\xfe\x00",
}
COMMON = ["JSON with a link", "JSON with a hostile link", "JSON without a link", "plain text", "HTML", "empty"]
WITH_A_GOOD_LINK = {"JSON with a link"}


def refuse(shape: str) -> Callable[[Received], Answer]:
    return lambda _: (401, {}, SHAPES[shape])


def refused_run(cli: Cli, *args: str, **environment: str) -> dict[str, Any]:
    """The error of a request that was refused, and with which nothing else was printed."""
    done = cli(*args, env=environment)
    assert done.returncode == 4
    assert "evil" not in done.stdout + done.stderr
    error: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])["error"]
    assert error["status"] == 4
    return error


def own_link(url: str, public_key: str) -> tuple[str, str]:
    """How the link for a key begins and ends; between stands the name of this machine."""
    return f"{url}/connect?name=", f"&key={encode_public_key(public_key)}"


def assert_link(error: dict[str, Any], url: str, public_key: str) -> None:
    beginning, end = own_link(url, public_key)
    assert error["signin_url"].startswith(beginning)
    assert error["signin_url"].endswith(end)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stored_key_gets_its_own_link(cli: Cli, shape: str) -> None:
    with stub_server(refuse(shape)) as server:
        error = refused_run(cli, "--insecure-storage", "run", CLOUD, "hi", "--json", OLLAMA_CLOUD_BASE_URL=server.url)
    public_key = server.received[0].public_key
    assert public_key is not None
    assert_link(error, server.url, public_key)
    assert error["code"] == "signin_required"
    assert "ollama-cli signin" in error["hint"]


@pytest.mark.parametrize(
    ("source", "shape"),
    [*(("--key-file", shape) for shape in COMMON), *(("OLLAMA_CLI_KEY", shape) for shape in COMMON[:2])],
)
def test_a_given_key_gets_its_own_link(cli: Cli, tmp_path: Path, source: str, shape: str) -> None:
    path = tmp_path / "key"
    path.write_text(GIVEN.to_openssh().reveal())
    options, environment = ([source, str(path)], {}) if source == "--key-file" else ([], {source: path.read_text()})
    with stub_server(refuse(shape)) as server:
        error = refused_run(
            cli, *options, "run", CLOUD, "hi", "--json", OLLAMA_CLOUD_BASE_URL=server.url, **environment
        )
    assert_link(error, server.url, GIVEN.public_key)
    assert source in error["message"]
    assert "Open the link" in error["hint"]


@pytest.mark.parametrize("shape", COMMON)
def test_an_api_key_is_led_to_the_page_of_keys_and_to_no_link(cli: Cli, shape: str) -> None:
    with stub_server(refuse(shape)) as server:
        error = refused_run(
            cli, "run", CLOUD, "hi", "--json", OLLAMA_CLOUD_BASE_URL=server.url, OLLAMA_API_KEY="no-such-key"
        )
    assert error["code"] == "api_key_refused"
    assert error["signin_url"] is None
    assert "https://ollama.com/settings/keys" in error["hint"]
    assert "OLLAMA_API_KEY" in error["message"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_daemon_is_signed_in_by_its_own_link_or_where_it_runs(cli: Cli, shape: str) -> None:
    with stub_server(refuse(shape)) as server:
        error = refused_run(cli, "run", LOCAL, "hi", "--json", OLLAMA_HOST=server.url, OLLAMA_API_KEY="unused")
    assert error["signin_url"] == (THEIRS if shape in WITH_A_GOOD_LINK else None)
    assert server.url in error["message"]
    assert ("link below" if shape in WITH_A_GOOD_LINK else "ollama-cli signin") in error["hint"]
    assert "authorization" not in server.received[0].headers


@pytest.mark.parametrize("shape", COMMON)
def test_a_daemon_that_wants_signatures_is_told_of_the_key_to_let_in(cli: Cli, shape: str) -> None:
    with stub_server(refuse(shape)) as server:
        environment = {"OLLAMA_HOST": server.url, "OLLAMA_AUTH": "1"}
        error = refused_run(cli, "--insecure-storage", "run", LOCAL, "hi", "--json", **environment)
    assert error["signin_url"] == (THEIRS if shape in WITH_A_GOOD_LINK else None)
    public_key = server.received[0].public_key
    assert public_key is not None
    assert shape in WITH_A_GOOD_LINK or public_key in error["hint"]


@pytest.mark.parametrize("command", [["run", LOCAL, "hi"], ["status"], ["signin"]], ids=lambda command: command[0])
def test_no_daemon_gets_the_key_that_signs_for_it_onto_the_account(cli: Cli, command: list[str]) -> None:
    """With that key on an account, the daemon could use the signatures that it is sent at ollama.com."""

    def ask_for_it(request: Received) -> Answer:
        assert request.public_key is not None
        return 401, {}, as_json(error="unauthorized", signin_url=signin_url("x", request.public_key))

    with stub_server(ask_for_it) as server:
        environment = {"OLLAMA_HOST": server.url, "OLLAMA_AUTH": "1"}
        error = refused_run(cli, "--insecure-storage", *command, "--json", **environment)
    assert error["signin_url"] is None
    assert "does not take this device's key" in error["message"]


@pytest.mark.parametrize("source", ["stored", "OLLAMA_CLI_KEY", "OLLAMA_API_KEY"])
def test_status_names_the_same_next_step(cli: Cli, source: str) -> None:
    value = {"stored": "", "OLLAMA_CLI_KEY": GIVEN.to_openssh().reveal(), "OLLAMA_API_KEY": "no-such-key"}[source]
    with stub_server(refuse("HTML")) as server:
        environment = {"OLLAMA_CLOUD_BASE_URL": server.url, **({source: value} if value else {})}
        cli("--insecure-storage", "signin", "--no-wait", env=environment)
        error = refused_run(cli, "status", "--json", **environment)
    public_key = server.received[-1].public_key
    if public_key is None:
        assert "https://ollama.com/settings/keys" in error["hint"]
    else:
        assert_link(error, server.url, public_key)


def test_what_the_server_says_is_told(cli: Cli) -> None:
    suspended = as_json(error="your account is \x1b[2Jsuspended")
    with stub_server(lambda _: (401, {}, suspended)) as server:
        done = cli("--insecure-storage", "run", CLOUD, "hi", env={"OLLAMA_CLOUD_BASE_URL": server.url})
    assert done.returncode == 4
    assert "The server says: your account is suspended" in done.stderr
    assert "\x1b" not in done.stderr


# A device that was taken off


def test_a_device_taken_off_while_in_use_is_told(signed_in: Cli, sandbox: Sandbox) -> None:
    assert signed_in("run", CLOUD, "hi").returncode == 0
    sandbox.take_off_all()
    for args in (["run", CLOUD, "hi", "--json"], ["status", "--json"]):
        error = refused_run(signed_in, *args)
        assert error["code"] == "device_removed"
        assert error["message"] == "This device was taken off your account."
        assert error["signin_url"].startswith(sandbox.url)
    again = signed_in("signin", "--no-wait")
    assert again.returncode == 4
    assert "was taken off your account" in again.stderr
    sandbox.decide(again.stdout.strip())
    assert signed_in("status", "--quiet").returncode == 0


@pytest.mark.parametrize("first", [["signin"], ["status"], ["run", CLOUD, "hi"]], ids=lambda args: args[0])
def test_any_first_success_is_remembered(device: Cli, sandbox: Sandbox, first: list[str]) -> None:
    sandbox.decide(device("--insecure-storage", "signin", "--no-wait").stdout.strip())
    assert device(*first).returncode == 0
    sandbox.take_off_all()
    assert refused_run(device, "status", "--json")["code"] == "device_removed"


def test_a_device_that_never_was_on_an_account_was_not_taken_off(device: Cli, sandbox: Sandbox) -> None:
    link = device("--insecure-storage", "signin", "--no-wait").stdout.strip()
    sandbox.decide(link, "deny")
    assert refused_run(device, "status", "--json")["code"] == "signin_required"


def test_a_page_on_the_way_tells_nothing_about_the_account(
    tmp_path: Path, start: Callable[..., Sandbox], forks: Forks
) -> None:
    portal = start("/api/generate=status:401+body:html")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": portal.url}, forks)
    sign_in(device, portal)
    assert refused_run(device, "run", CLOUD, "hi", "--json")["code"] == "signin_required"


def test_a_list_that_cannot_be_written_does_not_spoil_an_answer(device: Cli, sandbox: Sandbox) -> None:
    sandbox.decide(device("--insecure-storage", "signin", "--no-wait").stdout.strip())
    lock = device.home / "state" / "data" / "credentials.lock"
    lock.unlink()
    lock.mkdir()
    done = device("run", CLOUD, "hi")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_answer_does_not_wait_for_another_process_that_holds_the_list(device: Cli, sandbox: Sandbox) -> None:
    sandbox.decide(device("--insecure-storage", "signin", "--no-wait").stdout.strip())
    with FileLock(device.home / "state" / "data" / "credentials.lock"):
        assert device("run", CLOUD, "hi").returncode == 0


def test_lists_of_older_and_later_releases_are_read(signed_in: Cli) -> None:
    index = signed_in.home / "state" / "data" / "credentials.json"
    content = json.loads(index.read_text())
    assert content["credentials"][0].pop("signed_in_at") > 0
    index.write_text(json.dumps(content))
    assert signed_in("status", "--quiet").returncode == 0
    content["credentials"][0]["colour"] = "blue"
    index.write_text(json.dumps(content))
    assert signed_in("status", "--quiet").returncode == 0


# A daemon's sign-out


@pytest.mark.parametrize(
    ("fault", "environment", "status"),
    [
        ("status:401", {}, 0),
        ("status:401+body:html", {}, 7),
        ("status:401+body:empty", {}, 7),
        ("skew:200000", {"OLLAMA_AUTH": "1"}, 4),
    ],
)
def test_a_daemon_is_signed_out_already_only_when_it_says_so_itself(
    tmp_path: Path, start: Callable[..., Sandbox], fault: str, environment: dict[str, str], status: int, forks: Forks
) -> None:
    daemon = start(f"POST /api/signout={fault}")
    done = Cli(tmp_path, {"OLLAMA_HOST": daemon.url, **environment}, forks)("--insecure-storage", "signout")
    assert done.returncode == status
    assert ("signed out already" in done.stderr) == (status == 0)


@pytest.mark.parametrize("command", [["signout", "--local-only"], ["signin", "--name", "laptop"]], ids=" ".join)
def test_what_is_for_this_device_alone_is_refused_at_a_daemon(cli: Cli, sandbox: Sandbox, command: list[str]) -> None:
    done = cli(*command, env={"OLLAMA_HOST": sandbox.url})
    assert done.returncode == 2
    assert command[1] in done.stderr
    assert "--cloud" in done.stderr
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("command", "ways"),
    [
        ("status --cloud", ["`ollama-cli signin --cloud`"]),
        ("run --cloud gpt-oss:20b hi --profile work", ["`ollama-cli --profile work signin --cloud`"]),
        ("signin --cloud --no-wait", ["`ollama-cli status --cloud`", "`ollama-cli signin --cloud`"]),
        ("doctor --cloud", ["`ollama-cli signin --cloud`"]),
        ("keys revoke --yes", ["`ollama-cli signin --cloud`"]),
        ("profile remove --yes default", ["`ollama-cli signout --cloud`"]),
        ("status", []),
    ],
)
def test_what_helps_at_ollama_com_does_so_where_a_daemon_is_named(
    device: Cli, sandbox: Sandbox, command: str, ways: list[str]
) -> None:
    make_device(device, sandbox.url)
    keep_key(device, sandbox.url, "work")
    with stub_server(refuse("JSON without a link")) as daemon:
        told = device(*command.split(), env={"OLLAMA_HOST": daemon.url})
    words = told.stdout + told.stderr
    assert [way for way in ways if way not in words] == []
    assert ("--cloud" in words) == bool(ways)

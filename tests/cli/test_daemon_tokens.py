"""Tokens for daemons behind an authenticating proxy: kept once they work, and sent to exactly their origin."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from canaries import found
from forking import Forks
from guarded_daemon import GuardedDaemon
from stored_credentials import entries, index_file, keep_token, listed
from support import Cli, make_device
from watching_proxy import WatchingProxy

from ollama_cli.sandbox.server import EmbeddedSandbox

TOKEN = "a-token-of-the-proxy-that-nobody-else-sees"
PAIR = "me:a-password-of-the-proxy-with-ümlaut"
BASIC = f"Basic {b64encode(PAIR.encode()).decode()}"
MODEL = "qwen3-coder:480b"


pytestmark = pytest.mark.forked


@dataclass
class Guarded:
    """A device, and a daemon that asks for the token."""

    device: Cli
    daemon: GuardedDaemon
    other: WatchingProxy

    def signin(self, text: str, *args: str, host: str | None = None) -> tuple[int, str, str]:
        command = ["--insecure-storage", "signin", "--host", host or self.daemon.url, "--token", *args]
        done = self.device(*command, stdin=f"{text}\n")
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def guarded(tmp_path: Path, forks: Forks) -> Iterator[Guarded]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(EmbeddedSandbox(tmp_path / "cloud", pace=0))
        daemon = GuardedDaemon(sandbox.url, f"Bearer {TOKEN}")
        sandbox.approve(daemon.device.public_key, "a daemon")
        other = WatchingProxy(sandbox.url)
        for server in (daemon, other):
            stack.enter_context(server.running())
        yield Guarded(Cli(tmp_path, forks=forks), daemon, other)


def test_a_token_is_tried_kept_sent_and_forgotten(guarded: Guarded) -> None:
    device, daemon = guarded.device, guarded.daemon
    status, out, err = guarded.signin(TOKEN, "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["credential"] == "token"
    assert list(entries(device).values()) == [f"Bearer {TOKEN}"]
    assert [(each["kind"], each["origin"]) for each in listed(device)["secrets"]] == [("bearer", daemon.url)]
    at_daemon = {"OLLAMA_HOST": daemon.url}
    for args in (["list"], ["run", MODEL, "hi"], ["status", "--json"], ["api", "GET", "/api/tags"], ["search", "x"]):
        done = device(*args, env=at_daemon)
        assert done.returncode == 0, (args, done.stderr)
    shown = json.loads(device("status", "--json", env=at_daemon).stdout)
    assert (shown["credential"], shown["profile"], shown["signed_in"]) == ("token", "default", True)
    assert listed(device)["secrets"][0]["last_used_at"] is not None
    done = device("signout", "--host", f"{daemon.url}/", "--token")
    assert (done.returncode, "is forgotten here" in done.stderr) == (0, True)
    assert entries(device) == {}
    refused = device("list", env=at_daemon)
    assert refused.returncode == 4
    assert f"ollama-cli signin --host {daemon.url} --token" in refused.stderr
    assert "is kept here" in device("signout", "--host", daemon.url, "--token").stderr


def test_a_server_that_asks_for_no_token_is_told_of(guarded: Guarded) -> None:
    status, _, err = guarded.signin("whatever", host=guarded.other.url)
    assert (status, "works" in err, "answers without a token, too" in err) == (0, False, True)
    status, _, err = guarded.signin(TOKEN)
    assert (status, "works, and is kept" in err, "Note" in err) == (0, True, False)


def test_a_name_and_a_password_go_along_as_basic(guarded: Guarded) -> None:
    guarded.daemon.authorization = BASIC
    assert guarded.signin("no pair", "--basic")[0] == 2
    assert guarded.signin(PAIR, "--basic")[0] == 0
    assert guarded.device("list", env={"OLLAMA_HOST": guarded.daemon.url}).returncode == 0
    assert listed(guarded.device)["secrets"][0]["kind"] == "basic"


def test_a_token_that_is_refused_is_not_kept_and_not_repeated(guarded: Guarded) -> None:
    assert guarded.signin(TOKEN)[0] == 0
    guarded.daemon.repeats = True
    for wrong, options in (("another-token-that-does-not-work", []), ("me:another-password-x", ["--basic"])):
        status, out, err = guarded.signin(wrong, *options, "--json")
        assert (status, out, json.loads(err)["error"]["code"]) == (4, "", "token_refused")
        sent = {"token": wrong.encode(), "password": wrong.encode()[3:]}
        assert not found(sent, err.encode())
        assert "[hidden]" in err
    assert list(entries(guarded.device).values()) == [f"Bearer {TOKEN}"]
    guarded.daemon.authorization = "Bearer changed-since"
    at_daemon = {"OLLAMA_HOST": guarded.daemon.url}
    for args in (["run", MODEL, "hi", "--json"], ["list", "--json"], ["status", "--json"], ["signin", "--json"]):
        done = guarded.device(*args, env=at_daemon)
        error = json.loads(done.stderr)["error"]
        assert (done.returncode, error["code"]) == (4, "token_refused"), args
        assert f"`ollama-cli signin --host {guarded.daemon.url} --token`" in error["hint"]
        assert not found({"token": TOKEN.encode()}, (done.stdout + done.stderr).encode())


def test_a_token_goes_to_its_exact_origin_alone(guarded: Guarded) -> None:
    device, daemon, other = guarded.device, guarded.daemon, guarded.other
    port = daemon.port
    keep_token(device, f"http://localhost:{port}", f"Bearer {TOKEN}")
    keep_token(device, f"https://127.0.0.1:{port}", f"Bearer {TOKEN}")
    keep_token(device, f"http://127.0.0.2:{port}", f"Bearer {TOKEN}")
    keep_token(device, daemon.url, f"Bearer {TOKEN}", "work")
    assert device("list", env={"OLLAMA_HOST": daemon.url}).returncode == 4
    assert device("list", env={"OLLAMA_HOST": daemon.url, "OLLAMA_API_KEY": TOKEN}).returncode == 4
    assert {seen.authorization for seen in daemon.seen} == {None}
    daemon.seen.clear()
    assert device("--profile", "work", "list", env={"OLLAMA_HOST": f"{daemon.url}"}).returncode == 0
    keep_token(device, daemon.url, f"Bearer {TOKEN}")
    assert device("list", env={"OLLAMA_HOST": other.url}).returncode in {0, 4}
    assert device("run", f"{MODEL}-cloud", "hi", env={"OLLAMA_CLOUD_BASE_URL": other.url}).returncode in {4, 9}
    assert {seen.authorization for seen in other.seen} <= {None}
    daemon.redirect = other.url
    other.seen.clear()
    assert device("list", env={"OLLAMA_HOST": daemon.url}).returncode != 0
    assert other.seen == []


@pytest.mark.parametrize(
    ("host", "status", "told"),
    [
        ("http://box.example", 1, "the connection is not encrypted"),
        ("box.example", 1, "the connection is not encrypted"),
        ("http://127.0.0.1.example", 1, "the connection is not encrypted"),
        ("https://ollama.com", 2, "ollama.com takes device keys"),
        ("https://OLLAMA.com:8443", 2, "ollama.com takes device keys"),
        ("https://user:pass@box", 2, "--host holds a user name"),
        ("ftp://box", 2, "--host has the scheme"),
        ("", 2, "--host names no server"),
        ("https://127.0.0.1:99999", 2, "--host names the port of no server"),
        ("https://bücher.example", 2, "which no server can be called"),
    ],
)
def test_an_address_that_may_have_no_token_is_refused_before_it_is_read(
    cli: Cli, host: str, status: int, told: str
) -> None:
    done = cli("signin", "--host", host, "--token")
    assert (done.returncode, told in done.stderr) == (status, True), done.stderr
    assert "user:pass" not in done.stderr


def test_a_token_that_is_listed_for_an_address_without_tls_is_not_sent(cli: Cli) -> None:
    keep_token(cli, "http://box.example:11434", f"Bearer {TOKEN}")
    done = cli("list", env={"OLLAMA_HOST": "box.example", "HTTP_PROXY": "http://127.0.0.1:9"})
    assert (done.returncode, "the connection is not encrypted" in done.stderr) == (1, True)


def test_a_token_for_a_server_that_is_not_there_is_not_kept(cli: Cli) -> None:
    done = cli("--insecure-storage", "signin", "--host", "http://127.0.0.1:9", "--token", stdin=TOKEN)
    assert done.returncode == 7
    assert not index_file(cli).exists()


def test_a_token_goes_before_the_signature_that_ollama_auth_asks_for(guarded: Guarded) -> None:
    keep_token(guarded.device, guarded.daemon.url, f"Bearer {TOKEN}")
    make_device(guarded.device, guarded.daemon.url)
    signed = {"OLLAMA_HOST": guarded.daemon.url, "OLLAMA_AUTH": "1"}
    assert guarded.device("list", env=signed).returncode == 0
    done = guarded.device("list", env=signed | {"OLLAMA_CLI_PROFILE": "wrok"})
    assert (done.returncode, "There is no profile wrok" in done.stderr) == (4, True)


def test_a_daemon_is_asked_without_a_token_where_nothing_can_be_kept(guarded: Guarded, tmp_path: Path) -> None:
    daemon = {"OLLAMA_HOST": guarded.other.url}
    index_file(guarded.device).parent.mkdir(parents=True)
    index_file(guarded.device).write_text("{")
    done = guarded.device("list", env=daemon)
    assert (done.returncode, "So no token for" in done.stderr) == (0, True)
    assert index_file(guarded.device).read_text() == "{"
    assert guarded.device("--profile", "work", "list", env=daemon).returncode == 9


def test_a_token_below_a_base_path_is_its_origin_s(guarded: Guarded) -> None:
    guarded.daemon.base_path = "/ollama"
    assert guarded.signin(TOKEN, host=f"{guarded.daemon.url}/ollama")[0] == 0
    assert listed(guarded.device)["secrets"][0]["origin"] == guarded.daemon.url
    assert guarded.device("list", env={"OLLAMA_HOST": f"{guarded.daemon.url}/ollama"}).returncode == 0

"""The credential and the account: who signs, what a refusal tells, and what signs devices out."""

from __future__ import annotations

import json
import re
import socket
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from ollama_com import ollama_com
from scripted_server import DONE, ScriptedServer, Seen, plain
from serve_process import MODEL, Serve, serve_process
from support import Cli, approved_key, make_device
from terminals import Terminal
from watching_proxy import WatchingProxy

from ollama_cli import DeviceKey, signin_url
from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.credentials.public_key import decode_public_key
from ollama_cli.credentials.wallet import Wallet
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.settings import Settings

QUESTION = {"model": MODEL, "prompt": "hi", "stream": False}
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[EmbeddedSandbox]:
    with EmbeddedSandbox(tmp_path / "cloud", pace=0) as running:
        yield running


@pytest.fixture
def own(tmp_path: Path, sandbox: EmbeddedSandbox) -> Cli:
    """A device whose cloud is the sandbox."""
    return Cli(tmp_path / "home", {"OLLAMA_CLOUD_BASE_URL": sandbox.url})


def post(serve: Serve, path: str, body: Any = None, method: str = "POST") -> httpx.Response:
    with serve.client() as client:
        return client.request(method, path, json=body)


def wallet_of(device: Cli) -> Wallet:
    return open_wallet(Settings(home_override=Path(device.environment["OLLAMA_CLI_HOME"])), new_store="file")


def link_of(key: DeviceKey, url: str) -> str:
    return signin_url(socket.gethostname()[:64], key.public_key, base_url=url)


def test_signing_in_and_out_while_it_runs(own: Cli, sandbox: EmbeddedSandbox) -> None:
    with serve_process(own, before=("--insecure-storage",)) as serve:
        told = serve.hears(r"Not signed in: requests for cloud models are refused. Sign in at (\S+)")[1]
        assert post(serve, "/api/me").json() == {"error": "unauthorized", "signin_url": told}
        refused = post(serve, "/api/generate", QUESTION)
        assert (refused.status_code, refused.json()["signin_url"]) == (401, told)
        assert own("signin", "--no-wait").stdout.strip() == told  # it is the same key
        key = wallet_of(own).find(sandbox.url)
        assert key is not None
        sandbox.approve(key.credential.public_key, "laptop")
        assert post(serve, "/api/generate", QUESTION).status_code == 200
        assert post(serve, "/api/me").json()["plan"] == "free"
        record = wallet_of(own).record(sandbox.url)
        assert record is not None
        assert record.signed_in_at is not None
        assert own("signout").returncode == 0
        refused = post(serve, "/api/generate", QUESTION)
        assert refused.status_code == 401
        assert refused.json()["signin_url"] not in {told, None}  # another key, for the first is forgotten
        new = wallet_of(own).find(sandbox.url)
        assert new is not None
        assert refused.json()["signin_url"] == link_of(new.credential, sandbox.url)
        sandbox.approve(new.credential.public_key, "laptop")
        assert post(serve, "/api/generate", QUESTION).status_code == 200


def test_a_refusal_has_the_link_in_each_form(own: Cli, sandbox: EmbeddedSandbox) -> None:
    link = link_of(make_device(own, sandbox.url), sandbox.url)
    with serve_process(own) as serve:
        for path in ("/api/generate", "/api/chat", "/api/embed", "/api/show"):
            refused = post(serve, path, {**QUESTION, "messages": [], "input": "x"})
            assert (refused.status_code, refused.json()) == (401, {"error": "unauthorized", "signin_url": link})
        for path in ("/v1/chat/completions", "/v1/messages"):
            refused = post(serve, path, CHAT)
            assert (refused.status_code, refused.json()["signin_url"]) == (401, link)
            assert refused.json()["error"]


@pytest.mark.parametrize(
    ("told", "path", "error"),
    [
        (b'{"error":"unauthorized","signin_url":"https://evil.example"}', "/api/chat", "unauthorized"),
        (b"unauthorized\n", "/api/chat", "unauthorized"),
        (b"<html>", "/api/chat", "unauthorized"),
        (b"", "/api/chat", "unauthorized"),
        (b"[" * 50_000, "/api/chat", "unauthorized"),
        (b'{"error":"no","retry":NaN}', "/api/chat", "unauthorized"),
        (b'{"error":"no","retry":1e999}', "/api/chat", "unauthorized"),
        (b'{"error":"\\ud800"}', "/api/chat", "unauthorized"),
        (b'{"error":{"message":"no","type":"x"}}', "/v1/chat/completions", {"message": "no", "type": "x"}),
    ],
)
def test_whatever_the_cloud_refuses_with_the_link_is_ours(
    gateway: Serve, cloud: ScriptedServer, told: bytes, path: str, error: object
) -> None:
    cloud.answers(plain(told, "401 Unauthorized"))
    refused = post(gateway, path, CHAT)
    assert refused.status_code == 401
    assert refused.json()["error"] == error
    assert refused.json()["signin_url"].startswith(f"{cloud.url}/connect?name=")
    cloud.answers(plain(b"unauthorized", "401 Unauthorized"))
    link = refused.json()["signin_url"]
    openai, anthropic = post(gateway, "/v1/chat/completions", CHAT).json(), post(gateway, "/v1/messages", CHAT).json()
    assert openai["error"]["message"] == anthropic["error"]["message"] == f"unauthorized: sign in at {link}"
    assert anthropic["type"] == "error"


def test_a_key_that_was_changed_while_it_ran_is_the_one_that_signs(own: Cli, sandbox: EmbeddedSandbox) -> None:
    old = make_device(own, sandbox.url)
    sandbox.approve(old.public_key, "laptop")
    with serve_process(own) as serve:
        serve.hears("Signed in as sandbox")
        assert post(serve, "/api/generate", QUESTION).status_code == 200
        wallet_of(own).forget(sandbox.url)
        new = wallet_of(own).ensure(sandbox.url).credential
        assert new.public_key != old.public_key
        sandbox.approve(new.public_key, "laptop")
        assert post(serve, f"/api/user/keys/{old.encoded}", method="DELETE").status_code == 200
        assert post(serve, "/api/generate", QUESTION).status_code == 200


def test_a_rotation_while_it_runs(own: Cli, sandbox: EmbeddedSandbox) -> None:
    old = make_device(own, sandbox.url)
    sandbox.approve(old.public_key, "laptop")
    with serve_process(own, before=("--insecure-storage",)) as serve:
        assert post(serve, "/api/generate", QUESTION).status_code == 200
        link = own("--insecure-storage", "keys", "rotate", "--no-wait").stdout.strip()
        sandbox.approve(key_in_link(link), "laptop")
        assert post(serve, "/api/generate", QUESTION).status_code == 200
        done = own("--insecure-storage", "keys", "rotate", "--timeout", "30")
        assert done.returncode == 0, done.stderr
        kept = wallet_of(own).find(sandbox.url)
        assert kept is not None
        assert kept.credential.public_key != old.public_key
        assert post(serve, f"/api/user/keys/{old.encoded}", method="DELETE").status_code == 404  # it is off already
        assert post(serve, "/api/generate", QUESTION).status_code == 200


def key_in_link(link: str) -> str:
    """The public key line that a link is about."""
    public_key = decode_public_key(parse_qs(urlsplit(link).query)["key"][0])
    assert public_key is not None
    return public_key


def test_the_store_is_opened_once(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    with serve_process(device) as serve:
        assert post(serve, "/api/generate", QUESTION).content == DONE
        for kept in (Path(device.environment["OLLAMA_CLI_HOME"]) / "data" / "keys").iterdir():
            kept.unlink()
        assert post(serve, "/api/generate", QUESTION).content == DONE
    assert len({seen.signer for seen in cloud.seen}) == 1


def test_a_request_that_was_signed_just_before_the_change_is_signed_again(device: Cli, cloud: ScriptedServer) -> None:
    signers = []

    def script(seen: Seen, connection: socket.socket) -> None:
        if seen.path == "/api/me":
            connection.sendall(plain(b'{"name":"a"}'))
            return
        signers.append(seen.signer)
        if len(signers) == 1:
            wallet_of(device).forget(cloud.url)
            wallet_of(device).ensure(cloud.url)
            connection.sendall(plain(b"unauthorized", "401 Unauthorized"))
        else:
            connection.sendall(plain(DONE))

    cloud.script = script
    with serve_process(device) as serve:
        serve.hears("Signed in")
        assert post(serve, "/api/generate", QUESTION).content == DONE
    assert len(set(signers)) == 2


UNTELLABLE = (plain(b'{"name":"\\ud800"}'), plain(b'{"name":"ada","since":NaN}'))
"""What some parsers read, and no JSON can tell again."""


def test_who_is_signed_in(gateway: Serve, cloud: ScriptedServer) -> None:
    account = {"id": "1", "name": "ada", "email": "a@b", "plan": "", "more": [1]}
    cloud.answers(plain(json.dumps(account).encode()))
    told = post(gateway, "/api/me")
    assert (told.status_code, told.json()) == (200, {**account, "plan": "free"})
    assert (cloud.one.method, cloud.one.path, cloud.one.body) == ("POST", "/api/me", b"")
    cloud.answers(plain(b'{"name":"ada","plan":"pro"}'))
    assert post(gateway, "/api/me").json()["plan"] == "pro"
    for nobody in (b"null", b'{"name":""}', b"{}"):
        cloud.answers(plain(nobody))
        refused = post(gateway, "/api/me")
        assert (refused.status_code, "signin_url" in refused.json()) == (401, True)
    for unknown in (plain(b"", "500 Oops"), plain(b"<html>"), plain(b"[]"), plain(b"{}", "403 No"), b"", *UNTELLABLE):
        cloud.answers(unknown)
        assert (post(gateway, "/api/me").status_code, post(gateway, "/api/me").json()) == (
            503,
            {"error": "account unavailable"},
        )


def test_signing_out_takes_this_device_off_and_forgets_it(own: Cli, sandbox: EmbeddedSandbox) -> None:
    key = make_device(own, sandbox.url)
    sandbox.approve(key.public_key, "laptop")
    with serve_process(own) as serve:
        serve.hears("Signed in")
        told = post(serve, "/api/signout")
        assert (told.status_code, told.json()) == (200, None)
        assert wallet_of(own).record(sandbox.url) is None
        again = post(serve, "/api/signout")
        assert (again.status_code, again.json()) == (401, {"error": "you are not currently signed in"})


def test_a_key_in_the_path_is_the_one_that_is_taken_off(own: Cli, sandbox: EmbeddedSandbox) -> None:
    key, other = make_device(own, sandbox.url), approved_key(sandbox)
    sandbox.approve(key.public_key, "laptop")
    with serve_process(own, before=("--insecure-storage",)) as serve:
        assert post(serve, "/api/user/keys/nonsense", method="DELETE").status_code == 400
        assert post(serve, f"/api/user/keys/{DeviceKey.generate().encoded}", method="DELETE").status_code == 404
        assert post(serve, f"/api/user/keys/{other.encoded}", method="DELETE").status_code == 200
        assert post(serve, f"/api/user/keys/{other.encoded}", method="DELETE").status_code == 404
        assert wallet_of(own).record(sandbox.url) is not None
        assert post(serve, f"/api/user/keys/{key.encoded}", method="DELETE").status_code == 200
        assert wallet_of(own).record(sandbox.url) is None
        refused = post(serve, f"/api/user/keys/{other.encoded}", method="DELETE")
        assert (refused.status_code, "signin_url" in refused.json()) == (401, True)


def test_an_unsure_answer_signs_nobody_out(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(b"<html>", "401 Unauthorized"))
    with serve_process(device) as serve:
        assert post(serve, "/api/signout").status_code == 502
        cloud.answers(b"")
        assert post(serve, "/api/signout").status_code == 502
    assert wallet_of(device).record(cloud.url) is not None


def test_ollama_com_itself_is_asked_over_tls_and_through_a_proxy(tmp_path: Path, sandbox: EmbeddedSandbox) -> None:
    proxy = WatchingProxy(sandbox.url)
    with proxy.running(), ollama_com(proxy.url, tmp_path) as com:
        device = Cli(tmp_path / "home", com.environment)
        key = make_device(device, "https://ollama.com")
        sandbox.approve(key.public_key, "laptop")
        with serve_process(device) as serve:
            serve.hears("Signed in as sandbox")
            assert post(serve, "/api/generate", QUESTION).status_code == 200
    assert ("/api/generate", key.fingerprint) in [(seen.path, seen.credential) for seen in proxy.seen]
    assert com.asked_for == {"ollama.com:443"}


def test_a_certificate_that_is_not_trusted_gets_no_request(tmp_path: Path, sandbox: EmbeddedSandbox) -> None:
    proxy = WatchingProxy(sandbox.url)
    with proxy.running(), ollama_com(proxy.url, tmp_path) as com:
        device = Cli(tmp_path / "home", {"HTTPS_PROXY": com.environment["HTTPS_PROXY"]})
        make_device(device, "https://ollama.com")
        with serve_process(device) as serve:
            refused = post(serve, "/api/generate", QUESTION)
            assert (refused.status_code, "certificate" in refused.json()["error"]) == (502, True)
    assert com.asked_for == {"ollama.com:443"}
    assert not proxy.seen


def test_an_api_key_from_the_environment(own: Cli, sandbox: EmbeddedSandbox) -> None:
    api_key = sandbox.make_api_key().reveal()
    own.environment["OLLAMA_API_KEY"] = api_key
    with serve_process(own) as serve:
        serve.hears("Signed in as sandbox")
        assert post(serve, "/api/generate", QUESTION).status_code == 200
        assert post(serve, "/api/signout").status_code == 401  # which would be about this device's key
    own.environment["OLLAMA_API_KEY"] = "refused-0123456789"
    with serve_process(own) as serve:
        refused = post(serve, "/api/generate", QUESTION)
        assert (refused.status_code, refused.json()["signin_url"]) == (401, "https://ollama.com/settings/keys")
        assert "refused-01" not in refused.text + serve.text


def test_the_profile_that_it_was_started_with_counts(own: Cli, sandbox: EmbeddedSandbox) -> None:
    missing = own("--profile", "work", "serve", "--port", "0")
    assert (missing.returncode, "work" in missing.stderr) == (4, True)
    api_key = sandbox.make_api_key().reveal()
    named = ("--insecure-storage", "--profile", "work")
    assert own(*named, "signin", "--api-key", stdin=api_key).returncode == 0
    link = link_of(make_device(own, sandbox.url), sandbox.url)
    with serve_process(own, before=("--profile", "work")) as work, serve_process(own) as default:
        work.hears("Signed in as sandbox")
        assert post(work, "/api/generate", QUESTION).status_code == 200
        assert post(default, "/api/generate", QUESTION).json()["signin_url"] == link
        assert own("profile", "use", "work").returncode == 0
        assert post(default, "/api/generate", QUESTION).json()["signin_url"] == link  # and no other while it runs


def test_a_key_file_signs(own: Cli, sandbox: EmbeddedSandbox, tmp_path: Path) -> None:
    key = approved_key(sandbox)
    (tmp_path / "key").write_text(key.to_openssh().reveal(), encoding="utf-8")
    with serve_process(own, before=("--key-file", str(tmp_path / "key"))) as serve:
        assert post(serve, "/api/generate", QUESTION).status_code == 200
    assert wallet_of(own).record(sandbox.url) is None


def test_a_store_that_cannot_be_used_is_told_until_it_can(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    index = Path(device.environment["OLLAMA_CLI_HOME"]) / "data" / "credentials.json"
    whole = index.read_text(encoding="utf-8")
    index.write_text("{", encoding="utf-8")
    with serve_process(device) as serve:
        serve.hears("There is no credential for")
        refused = post(serve, "/api/generate", QUESTION)
        assert (refused.status_code, "credentials.json" in refused.json()["error"]) == (503, True)
        assert not cloud.seen
        index.write_text(whole, encoding="utf-8")
        assert post(serve, "/api/generate", QUESTION).content == DONE


def test_a_wrong_clock_is_mended_and_told(own: Cli, tmp_path: Path) -> None:
    with EmbeddedSandbox(tmp_path / "skewed", faults=["*=skew:-900"], pace=0) as sandbox:
        own.environment["OLLAMA_CLOUD_BASE_URL"] = sandbox.url
        sandbox.approve(make_device(own, sandbox.url).public_key, "laptop")
        with serve_process(own) as serve:
            assert post(serve, "/api/generate", QUESTION).status_code == 200
            serve.hears("clock is 9[0-9][0-9] seconds ahead of the server's")


def test_where_cloud_models_are_off_nothing_is_asked_of_the_cloud(device: Cli, cloud: ScriptedServer) -> None:
    device.environment["OLLAMA_NO_CLOUD"] = "1"
    with serve_process(device) as serve:
        serve.hears("Cloud models are off")
        assert post(serve, "/api/tags", method="GET").json() == {"models": []}
        for method, path in (
            ("POST", "/api/me"),
            ("POST", "/api/signout"),
            ("DELETE", "/api/user/keys/x"),
            ("POST", "/api/web_search"),
        ):
            refused = post(serve, path, QUESTION, method)
            assert (refused.status_code, "cloud is disabled" in refused.json()["error"]) == (403, True)
    assert not cloud.seen


def encrypted(own: Cli, sandbox: EmbeddedSandbox) -> DeviceKey:
    """Have the device keep a key that is on the account, and has a passphrase; in the place of any other."""
    key, wallet = approved_key(sandbox), wallet_of(own)
    wallet.forget(sandbox.url)
    return wallet.adopt(sandbox.url, key, key.to_openssh("open sesame")).credential


def test_at_a_terminal_a_passphrase_is_asked_for_before_it_serves(own: Cli, sandbox: EmbeddedSandbox) -> None:
    encrypted(own, sandbox)
    terminal = Terminal(own, "serve", "--port", "0")
    terminal.until_text(r"Passphrase for the key(?s:.*)not encrypted:")
    terminal.type("open sesame\r")
    terminal.until_text("Listening at http(?s:.*)Signed in as sandbox")
    url = re.findall(r"Listening at (\S+)", terminal.text)[0]
    assert httpx.post(f"{url}/api/generate", json=QUESTION, trust_env=False).status_code == 200
    encrypted(own, sandbox)  # nobody is asked now, for Ctrl-C is to end it as ever
    refused = httpx.post(f"{url}/api/generate", json=QUESTION, trust_env=False)
    assert refused.status_code >= 500
    assert "passphrase" in refused.json()["error"]
    terminal.type("\x03")
    assert terminal.end() == 0
    assert "fault" not in terminal.text


def test_ctrl_c_at_the_question_for_a_passphrase_gives_the_terminal_back(own: Cli, sandbox: EmbeddedSandbox) -> None:
    encrypted(own, sandbox)
    terminal = Terminal(own, "serve", "--port", "0")
    before = termios.tcgetattr(terminal.child.child_fd)
    terminal.until_text(r"Passphrase for the key(?s:.*)not encrypted:")
    terminal.type("\x03")
    while terminal.read():
        pass
    assert termios.tcgetattr(terminal.child.child_fd) == before
    assert terminal.end() == 130

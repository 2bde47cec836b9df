"""``doctor``: each fault is made to happen, and told with its verdict, its way out and its status; the rest is not."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncio_server import answering_bytes, asyncio_server, saying_bytes
from forking import Forks
from ollama_com import Proxy, badly_certified, ollama_com
from stores.secret_service import SecretService, secret_service
from stub_server import Answer, Received, stub_server
from support import AS_A_USER, COMMAND, Cli, make_device, needs_a_user
from terminals import Terminal

from ollama_cli import DeviceKey
from ollama_cli.sandbox.server import EmbeddedSandbox

CHECKS = [
    "place", "proxy", "dns", "connection", "tls", "clock", "keyring", "credential", "account", "daemon", "ollama_key",
]  # fmt: skip
YEAR = 365 * 24 * 3600


class Told:
    """What ``doctor --json`` told.

    Attributes:
        status: The exit status.
        stderr: What stood there.
    """

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        assert done.stdout, done.stderr
        answer = json.loads(done.stdout)
        self.status, self.stderr = done.returncode, done.stderr
        self._found: dict[str, dict[str, Any]] = {found["check"]: found for found in answer["checks"]}
        assert list(self._found) == CHECKS
        assert answer["status"] == done.returncode
        assert answer["well"] == (done.returncode == 0)
        if done.returncode:
            assert json.loads(done.stderr.splitlines()[-1])["error"]["status"] == done.returncode

    def __getitem__(self, check: str) -> dict[str, Any]:
        return self._found[check]

    def verdicts(self, *checks: str) -> list[str]:
        return [self._found[check]["verdict"] for check in checks]

    @property
    def faults(self) -> list[str]:
        return [check for check in CHECKS if self._found[check]["verdict"] == "fault"]


def examine(cli: Cli, *args: str, before: tuple[str, ...] = (), env: Mapping[str, str] | None = None) -> Told:
    return Told(cli(*before, "doctor", "--json", *args, env=env))


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder below one, and all that could change about it."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedSandbox]:
    with EmbeddedSandbox(tmp_path / "cloud", pace=0) as running:
        yield running


@pytest.fixture
def well(tmp_path: Path, embedded: EmbeddedSandbox) -> Cli:
    """A device that is signed in, with its key in a file."""
    (tmp_path / "home").mkdir()
    device = Cli(tmp_path / "home", {"OLLAMA_CLOUD_BASE_URL": embedded.url})
    embedded.approve(make_device(device, embedded.url).public_key, "device")
    return device


# All is well


def test_all_is_well_and_nothing_is_changed(well: Cli) -> None:
    before = snapshot(well.home)
    told = examine(well)
    assert (told.status, told.faults) == (0, [])
    assert told.verdicts("connection", "clock", "credential", "account") == ["ok"] * 4
    assert "DeviceKey" not in told.stderr
    done = well("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^ok +Account +Signed in as ", done.stdout, re.MULTILINE)
    assert "\x1b" not in done.stdout
    assert snapshot(well.home) == before


def test_all_is_well_at_ollama_com_behind_a_proxy(embedded: EmbeddedSandbox, tmp_path: Path, cli: Cli) -> None:
    key = embedded.make_api_key().reveal()
    with ollama_com(embedded.url, tmp_path) as com:
        told = examine(cli, env={**com.environment, "OLLAMA_API_KEY": key})
        assert (told.status, told.faults) == (0, [])
        assert told.verdicts("proxy", "dns", "connection", "tls", "clock", "account") == [
            "ok", "not_needed", "ok", "ok", "ok", "ok",
        ]  # fmt: skip
        assert told["keyring"]["verdict"] == "remark"  # there is none, and none is needed
        assert key not in json.dumps(told["credential"])
        assert all(key not in head for head in com.proxy.heads)


def test_the_sandbox_is_checked_without_the_rest(cli: Cli) -> None:
    elsewhere = {"OLLAMA_HOST": "http://nowhere.invalid", "OLLAMA_API_KEY": "x", "HTTPS_PROXY": "http://127.0.0.1:9"}
    told = examine(cli, before=("--sandbox",), env=elsewhere)
    assert (told.status, told.faults) == (4, ["credential"])
    assert told["credential"]["hint"] == "Run `ollama-cli --sandbox signin`."
    assert cli("--sandbox", "signin").returncode == 0
    told = examine(cli, before=("--sandbox",), env=elsewhere)
    assert (told.status, told["account"]["verdict"]) == (0, "ok")


# The way to the server


@contextmanager
def unchanged(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    yield environment


@contextmanager
def a_proxy(**how: str) -> Iterator[dict[str, str]]:
    with asyncio_server(Proxy(0, **how).handle) as port:  # type: ignore[arg-type]  # texts only
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{port}"}


@contextmanager
def intercepted(folder: Path) -> Iterator[dict[str, str]]:
    """ollama.com behind somebody's proxy that reads TLS, whose authority this machine does not know."""
    with EmbeddedSandbox(folder / "cloud", pace=0) as sandbox, ollama_com(sandbox.url, folder) as com:
        yield {"HTTPS_PROXY": com.environment["HTTPS_PROXY"]}


@contextmanager
def a_cloud(answer: bytes) -> Iterator[dict[str, str]]:
    with asyncio_server(answering_bytes(answer)) as port:
        yield {"OLLAMA_CLOUD_BASE_URL": f"http://127.0.0.1:{port}"}


@contextmanager
def no_tls(_: Path) -> Iterator[dict[str, str]]:
    with asyncio_server(saying_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        yield {"OLLAMA_CLOUD_BASE_URL": f"https://localhost:{port}"}


LATER = {
    "proxy": ["dns", "connection", "tls", "clock", "account"],
    "dns": ["connection", "tls", "clock", "account"],
    "connection": ["tls", "clock", "account"],
    "tls": ["clock", "account"],
}
"""What cannot be told before each of these."""


@pytest.mark.parametrize(
    ("make", "check", "status", "code", "message", "hint"),
    [
        pytest.param(
            lambda _: unchanged({"OLLAMA_HOST": "http://nowhere.invalid"}),
            "dns", 7, "dns", "nowhere.invalid cannot be resolved", "name server", id="no-such-name",
        ),
        pytest.param(
            lambda _: unchanged({"OLLAMA_CLOUD_BASE_URL": f"http://127.0.0.1:{closed_port()}"}),
            "connection", 7, "connection_refused", "Nothing answers", "Start what is to", id="nothing-listens",
        ),
        pytest.param(
            lambda _: a_cloud(b"SSH-2.0-OpenSSH_9.6\r\n"),
            "connection", 7, "connection_lost", "broke off", "Try again", id="not-http",
        ),
        pytest.param(
            lambda _: unchanged({"HTTPS_PROXY": f"http://127.0.0.1:{closed_port()}"}),
            "proxy", 7, "proxy", "No proxy answers at 127.0.0.1:", "unset it", id="no-proxy-there",
        ),
        pytest.param(
            lambda _: unchanged({"HTTPS_PROXY": "http://me:SECRET@nowhere.invalid:3128"}),
            "proxy", 7, "proxy", "proxy nowhere.invalid:3128 cannot be resolved", "unset it", id="no-such-proxy",
        ),
        pytest.param(
            lambda _: a_proxy(refusal="403 Forbidden"),
            "proxy", 7, "proxy", "did not let us through to ollama.com: 403", "NO_PROXY", id="proxy-refuses",
        ),
        pytest.param(
            lambda _: a_proxy(password="me:SECRET"),
            "proxy", 7, "proxy", "wants a user name", "USER:PASSWORD@", id="proxy-wants-a-password",
        ),
        pytest.param(
            lambda _: unchanged({"HTTPS_PROXY": "ftp://127.0.0.1:21"}),
            "proxy", 2, "usage", "A proxy setting cannot be used", "socks5://", id="proxy-of-no-kind",
        ),
        pytest.param(
            intercepted,
            "tls", 7, "tls", "that this machine does not trust", "SSL_CERT_FILE", id="intercepted",
        ),
        pytest.param(
            lambda folder: badly_certified(folder, "expired"),
            "tls", 7, "tls", "has expired", "clock", id="expired",
        ),
        pytest.param(
            lambda folder: badly_certified(folder, "other"),
            "tls", 7, "tls", "for another name", "sign-in page", id="other-name",
        ),
        pytest.param(no_tls, "tls", 7, "tls", "does not speak TLS", "http://", id="no-tls"),
        pytest.param(
            lambda _: unchanged({"HTTPS_PROXY": "http://127.0.0.1:9", "SSL_CERT_FILE": "/nowhere.pem"}),
            "tls", 2, "usage", "SSL_CERT_FILE", "unset it", id="no-such-certificates",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_on_the_way_is_told_once(
    tmp_path: Path, cli: Cli, make: Callable[[Path], Any], check: str, status: int, code: str, message: str, hint: str
) -> None:
    with make(tmp_path) as environment:
        told = examine(cli, env={"OLLAMA_API_KEY": "KEY", **environment})
    assert (told.status, told[check]["code"]) == (status, code), told[check]
    assert message in told[check]["message"]
    assert hint in told[check]["hint"]
    assert told.faults == [check]
    later = [name for name in LATER[check] if name in {"account", "clock"} or told[name]["verdict"] != "not_needed"]
    assert set(told.verdicts(*later)) <= {"not_checked", "ok"}
    assert told["account"]["verdict"] == "not_checked"
    assert "SECRET" not in json.dumps([told[name] for name in CHECKS]) + told.stderr


@pytest.mark.parametrize(
    ("seconds", "verdict", "account", "status"),
    [(30, "ok", "ok", 0), (-120, "remark", "ok", 0), (3600, "fault", "ok", 4), (-3 * 86400, "fault", "not_checked", 4)],
)
def test_a_clock_that_is_wrong_is_told(
    tmp_path: Path, cli: Cli, seconds: int, verdict: str, account: str, status: int
) -> None:
    with EmbeddedSandbox(tmp_path / "cloud", faults=[f"*=skew:{seconds}"], pace=0) as away:
        cli.environment["OLLAMA_CLOUD_BASE_URL"] = away.url
        away.approve(make_device(cli, away.url).public_key, "device")
        told = examine(cli)
    assert (told.status, told.verdicts("clock", "account")) == (status, [verdict, account])
    if verdict == "fault":
        assert told["clock"]["code"] == "clock_wrong"
        assert ("behind" if seconds > 0 else "ahead of") in told["clock"]["message"]
        assert "clock right" in told["clock"]["hint"]


def test_a_server_that_hangs_is_waited_for_so_long_and_no_longer(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = {"OLLAMA_HOST": f"http://127.0.0.1:{deaf.getsockname()[1]}"}
        told = examine(cli, env=address)
        assert (told.status, told.faults, told["connection"]["code"]) == (7, ["connection"], "timed_out")
        assert told.verdicts("account", "daemon") == ["not_checked", "not_checked"]
        person = Terminal(cli, "doctor", env=address)
        person.until_text("Checking")
        person.type("\x03")
        assert person.end() == 130
    assert b"Traceback" not in person.sent


# The credential and the account


def test_without_a_credential_the_way_to_one_is_told(cli: Cli, embedded: EmbeddedSandbox) -> None:
    told = examine(cli, before=("--insecure-storage",), env={"OLLAMA_CLOUD_BASE_URL": embedded.url})
    assert (told.status, told.faults) == (4, ["credential"])
    assert "ollama-cli signin" in told["credential"]["hint"]
    assert told["account"]["verdict"] == "not_checked"
    assert not (cli.home / "state").exists()


def test_an_api_key_that_was_revoked_is_told(cli: Cli, embedded: EmbeddedSandbox) -> None:
    told = examine(cli, env={"OLLAMA_CLOUD_BASE_URL": embedded.url, "OLLAMA_API_KEY": "of another day"})
    assert (told.status, told.faults, told["credential"]["code"]) == (2, ["credential"], "bad_key")
    told = examine(cli, env={"OLLAMA_CLOUD_BASE_URL": embedded.url, "OLLAMA_API_KEY": "revoked"})
    assert (told.status, told.faults, told["account"]["code"]) == (4, ["account"], "api_key_refused")
    assert "settings/keys" in told["account"]["hint"]


def test_a_key_that_was_revoked_is_told(well: Cli, embedded: EmbeddedSandbox) -> None:
    key = make_device(well, embedded.url)
    assert well("status").returncode == 0
    (well.home / "other").mkdir()
    other = Cli(well.home / "other", {"OLLAMA_CLOUD_BASE_URL": embedded.url})
    embedded.approve(make_device(other, embedded.url).public_key, "other")
    assert other("keys", "revoke", "--yes", key.public_key).returncode == 0
    told = examine(well)
    assert (told.status, told.faults, told["account"]["code"]) == (4, ["account"], "device_removed")
    assert "/connect?" in told["account"]["signin_url"]
    assert told["account"]["signin_url"] in well("doctor").stdout.splitlines()


def test_a_server_that_fails_is_told_of_the_account(tmp_path: Path, cli: Cli) -> None:
    with EmbeddedSandbox(tmp_path / "cloud", faults=["POST /api/me=status:500"], pace=0) as failing:
        key = failing.make_api_key().reveal()
        told = examine(cli, env={"OLLAMA_CLOUD_BASE_URL": failing.url, "OLLAMA_API_KEY": key})
    assert (told.status, told.faults) == (7, ["account"])


@pytest.fixture
def encrypted(tmp_path: Path, embedded: EmbeddedSandbox) -> Path:
    """A key with a passphrase, on the account."""
    key, path = DeviceKey.generate(), tmp_path / "key"
    embedded.approve(key.public_key, "encrypted")
    path.write_text(key.to_openssh().reveal())
    path.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", path], check=True, timeout=60)
    return path


def test_a_passphrase_is_asked_for_where_somebody_is_there(
    cli: Cli, embedded: EmbeddedSandbox, encrypted: Path
) -> None:
    cli.environment["OLLAMA_CLOUD_BASE_URL"] = embedded.url
    told = examine(cli, before=("--key-file", str(encrypted)))
    assert (told.status, told.faults, told["credential"]["code"]) == (2, ["credential"], "bad_key")
    assert "passphrase" in told["credential"]["message"] + told["credential"]["hint"]
    person = Terminal(cli, "--key-file", str(encrypted), "doctor")
    person.until_text("Passphrase for")
    person.type("open sesame\r")
    assert person.end() == 0
    assert "Signed in as" in person.text
    assert "sesame" not in person.text


def test_a_key_that_is_old_is_told(well: Cli) -> None:
    index = well.home / "state" / "data" / "credentials.json"
    content = json.loads(index.read_text())
    content["credentials"][0]["created_at"] = int(time.time()) - 2 * YEAR
    index.write_text(json.dumps(content))
    told = examine(well)
    assert (told.status, told["credential"]["verdict"]) == (0, "remark")
    assert "24 months old" in told["credential"]["message"]
    assert "keys rotate" in told["credential"]["hint"]


def test_the_credential_of_a_profile_is_checked(well: Cli, embedded: EmbeddedSandbox) -> None:
    api_key = embedded.make_api_key().reveal()
    work = ("--profile", "work", "--insecure-storage")
    assert well(*work, "signin", "--api-key", stdin=api_key).returncode == 0
    told = examine(well, before=work)
    assert (told.status, told["account"]["verdict"]) == (0, "ok")
    assert told["credential"]["message"].startswith("An API key, from ")
    assert api_key not in json.dumps(told["credential"])
    told = examine(well, before=("--insecure-storage", "--profile", "other"))
    assert (told.status, told.faults, told["credential"]["code"]) == (4, ["credential"], "no_such_profile")
    assert examine(well)["credential"]["message"].startswith("Device key ")


def test_an_api_key_whose_account_is_not_told_is_no_fault(tmp_path: Path, cli: Cli) -> None:
    with EmbeddedSandbox(tmp_path / "cloud", faults=["POST /api/me=status:401"], pace=0) as reserved:
        key = reserved.make_api_key().reveal()
        told = examine(cli, env={"OLLAMA_CLOUD_BASE_URL": reserved.url, "OLLAMA_API_KEY": key})
    assert (told.status, told["account"]["verdict"]) == (0, "ok")
    assert "takes the API key" in told["account"]["message"]


def test_a_token_goes_to_its_own_server(cli: Cli) -> None:
    with daemon() as box:
        stored = cli("--insecure-storage", "signin", "--host", box.url, "--token", stdin="TOKEN")
        assert stored.returncode == 0, stored.stderr
        told = examine(cli, env={"OLLAMA_HOST": box.url})
        sent = [request.headers.get("authorization") for request in box.received if "/api/me" in request.target]
    assert (told.status, told["credential"]["message"][:8]) == (0, "A token,")
    assert sent == ["Bearer TOKEN"]
    assert "TOKEN" not in json.dumps([told[check] for check in CHECKS])


def test_a_list_of_keys_that_is_damaged_is_told(well: Cli) -> None:
    (well.home / "state" / "data" / "credentials.json").write_text("{")
    told = examine(well, before=("--insecure-storage",))
    assert (told.status, told.faults, told["credential"]["code"]) == (9, ["credential"], "index_damaged")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user_are_told(well: Cli) -> None:
    folder = well.home / "state" / "data"
    os.chown(folder, 12345, 12345)
    told = examine(well, before=("--insecure-storage",))
    assert (told.status, told.faults, told["credential"]["code"]) == (9, ["credential"], "store_unsafe")
    assert told["account"]["verdict"] == "not_checked"


# The keyring


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    with secret_service(tmp_path_factory.mktemp("secrets")) as running:
        yield running


@pytest.fixture
def desktop(tmp_path: Path, embedded: EmbeddedSandbox, service: SecretService) -> Cli:
    """A device that is signed in, with its key in a keyring."""
    (tmp_path / "home").mkdir()
    where = {"OLLAMA_CLOUD_BASE_URL": embedded.url, "DBUS_SESSION_BUS_ADDRESS": service.address}
    device = Cli(tmp_path / "home", where)
    device("signin", "--no-wait")
    key = json.loads(device("keys", "show", "--json").stdout)["public_key"]
    embedded.approve(key, "desktop")
    return device


def test_a_keyring_that_is_locked_is_told_and_the_rest_is_checked(
    desktop: Cli, service: SecretService, embedded: EmbeddedSandbox
) -> None:
    told = examine(desktop)
    assert (told.status, told.verdicts("keyring", "credential", "account")) == (0, ["ok"] * 3)
    service.lock()
    desktop.environment["DISPLAY"] = ":9"
    told = examine(desktop)
    assert (told.status, told.faults, told["keyring"]["code"]) == (9, ["keyring"], "store_locked")
    assert told.verdicts("connection", "credential", "account") == ["ok", "not_checked", "not_checked"]
    assert "--insecure-storage" in told["keyring"]["hint"]
    person = Terminal(desktop, "doctor")  # nobody is asked for the keyring's password
    assert person.end() == 9
    told = examine(desktop, env={"OLLAMA_API_KEY": embedded.make_api_key().reveal()})
    assert (told.status, told.verdicts("keyring", "account")) == (0, ["remark", "ok"])
    assert "OLLAMA_API_KEY gives the credential" in told["keyring"]["message"]


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"}, "store_absent"),
        ({"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}, "store_null"),
        ({"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}, "store_plaintext"),
        ({"PYTHON_KEYRING_BACKEND": "no.such.Keyring"}, "store_absent"),
        ({"PYTHON_KEYRING_BACKEND": "stores.backends.Talkative"}, "store_failed"),
    ],
)
def test_a_keyring_that_cannot_be_used_is_told(
    cli: Cli, embedded: EmbeddedSandbox, environment: dict[str, str], code: str
) -> None:
    more = {"OLLAMA_CLOUD_BASE_URL": embedded.url, "PYTHONPATH": str(Path(__file__).parents[1])}
    told = examine(cli, env={**more, **environment})
    assert (told.status, told.faults, told["keyring"]["code"]) == (9, ["keyring"], code)
    assert told["credential"]["verdict"] == "not_checked"


# Where it acts, and as whom


def daemon(version: object = "0.99.1", me: tuple[int, Any] = (200, {"name": "box", "plan": ""})) -> Any:
    def answer(request: Received) -> Answer:
        head = {"Content-Type": "application/json"}
        if request.target.startswith("/api/version"):
            return 200, head, json.dumps({"version": version}).encode()
        if request.target.startswith("/api/me"):
            return me[0], head, json.dumps(me[1]).encode() if me[1] is not None else b"404 page not found"
        return 200, head, b'{"models": []}'

    return stub_server(answer)


def test_a_daemon_gets_no_credential_and_ollama_com_no_request(well: Cli, embedded: EmbeddedSandbox) -> None:
    given = {"OLLAMA_API_KEY": embedded.make_api_key().reveal(), "OLLAMA_CLI_KEY": "x"}
    seen = len(embedded_requests(embedded))
    with daemon() as box:
        told = examine(well, env={"OLLAMA_HOST": box.url, **given})
    assert (told.status, told.verdicts("credential", "clock", "daemon", "account")) == (
        0, ["not_needed", "not_needed", "ok", "ok"],
    )  # fmt: skip
    assert box.received
    assert all("authorization" not in request.headers for request in box.received)
    assert len(embedded_requests(embedded)) == seen


def embedded_requests(sandbox: EmbeddedSandbox) -> list[Any]:
    import httpx

    requests: list[Any] = httpx.get(f"{sandbox.url}/sandbox/requests", trust_env=False).json()
    return requests


def test_no_key_is_made_for_a_daemon_that_wants_signatures(cli: Cli) -> None:
    with daemon() as box:
        told = examine(cli, before=("--insecure-storage",), env={"OLLAMA_HOST": box.url, "OLLAMA_AUTH": "1"})
    assert (told.status, told.verdicts("credential", "account", "daemon")) == (0, ["remark", "not_checked", "ok"])
    assert all("authorization" not in request.headers for request in box.received)
    assert not (cli.home / "state").exists()


def test_a_key_file_that_cannot_be_used_is_told_for_a_daemon_too(cli: Cli) -> None:
    with daemon() as box:
        told = examine(cli, before=("--key-file", "/nowhere"), env={"OLLAMA_HOST": box.url})
    assert (told.status, told.faults, told["credential"]["code"]) == (2, ["credential"], "bad_key")
    assert told.verdicts("account", "daemon") == ["not_checked", "ok"]


def test_nothing_is_signed_for_a_daemon_without_tls(cli: Cli) -> None:
    make_device(cli, "http://box.example")
    with daemon() as box:
        elsewhere = {"OLLAMA_HOST": "http://box.example:80", "OLLAMA_AUTH": "1", "HTTP_PROXY": box.url}
        told = examine(cli, env=elsewhere)
    assert (told.status, told.faults, told["account"]["code"]) == (1, ["account"], "refused")
    assert told.verdicts("proxy", "tls", "daemon") == ["ok", "remark", "not_checked"]
    assert box.received
    assert all("authorization" not in request.headers for request in box.received)


@pytest.mark.parametrize(
    ("version", "verdict", "status", "words"),
    [
        ("0.99.1", "ok", 0, "Version 0.99.1 answers"),
        ("0.0.0", "ok", 0, "Version 0.0.0 answers"),
        ("0.5.12-rc1", "remark", 0, "Version 0.5.12-rc1 answers"),
        ("\x1b]0;owned\x07\u202e", "fault", 7, "is no Ollama server"),
        ({"no": "text"}, "fault", 7, "is no Ollama server"),
        ("9" * 5000, "fault", 7, "is no Ollama server"),
    ],
    ids=["new", "built by hand", "old", "escape sequences", "no text", "endless"],
)
def test_the_version_of_a_daemon_is_judged(cli: Cli, version: object, verdict: str, status: int, words: str) -> None:
    with daemon(version) as box:
        told = examine(cli, env={"OLLAMA_HOST": box.url})
        shown = cli("doctor", env={"OLLAMA_HOST": box.url}).stdout
    assert (told.status, told["daemon"]["verdict"]) == (status, verdict)
    assert words in told["daemon"]["message"]
    assert told["daemon"]["hint"] or verdict == "ok"
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


@pytest.mark.parametrize(
    ("me", "verdict", "status"),
    [
        ((401, {"error": "unauthorized", "signin_url": "https://evil.example/\x1b[2J"}), "fault", 4),
        ((404, None), "remark", 0),
        ((200, {"name": "\x1b[2Jbox\u202e", "plan": "\x07"}), "ok", 0),
    ],
    ids=["signed out", "knows no accounts", "a name with sequences"],
)
def test_the_account_of_a_daemon_is_told(cli: Cli, me: tuple[int, Any], verdict: str, status: int) -> None:
    with daemon(me=me) as box:
        told = examine(cli, env={"OLLAMA_HOST": box.url})
        shown = cli("doctor", env={"OLLAMA_HOST": box.url}).stdout
    assert (told.status, told["account"]["verdict"]) == (status, verdict), told["account"]
    assert "evil.example" not in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_the_daemon_of_this_machine_may_be_missing_and_may_be_old(well: Cli, tmp_path: Path) -> None:
    for kind, verdict, status in (("missing", "remark", 0), ("old", "remark", 0), ("odd", "fault", 7)):
        with daemon("0.3.0" if kind == "old" else 5) as box:
            port = closed_port() if kind == "missing" else int(box.url.rpartition(":")[2])
            (tmp_path / kind).mkdir()
            forks = Forks(tmp_path / kind, moved={11434: port})
            told = Told(forks("doctor", "--json", env=well.environment))
            off = Told(forks("doctor", "--json", env={**well.environment, "OLLAMA_NO_CLOUD": "1"}))
            forks.close()
        assert (told.status, told["daemon"]["verdict"]) == (status, verdict), told["daemon"]
        assert off.verdicts("place", "connection", "account") == ["remark", "not_needed", "not_needed"]
        assert off.status == (0 if kind == "old" else 7)  # without the cloud, that server is all there is
    assert off["daemon"]["code"] == "answer_invalid"


def test_nothing_is_sent_to_ollama_com_without_tls(cli: Cli) -> None:
    told = examine(cli, env={"OLLAMA_HOST": "http://ollama.com", "OLLAMA_API_KEY": "x"})
    assert (told.status, told.faults) == (1, ["place"])
    assert set(told.verdicts("proxy", "dns", "connection", "tls", "clock", "credential", "account")) == {"not_checked"}


# An installed Ollama's key


@pytest.fixture
def ollama(well: Cli) -> Path:
    path = well.home / ".ollama" / "id_ed25519"
    path.parent.mkdir()
    path.write_text(DeviceKey.generate().to_openssh().reveal())
    path.chmod(0o600)
    return path


def test_an_installed_ollamas_key_is_judged(well: Cli, ollama: Path) -> None:
    assert examine(well).verdicts("ollama_key") == ["ok"]
    ollama.chmod(0o644)
    told = examine(well)
    assert (told.status, told["ollama_key"]["verdict"]) == (0, "remark")
    assert "chmod 600" in told["ollama_key"]["hint"]
    ollama.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", ollama], check=True, timeout=60)
    told = examine(well)
    assert (told.status, told["ollama_key"]["verdict"]) == (0, "remark")
    assert "passphrase" in told["ollama_key"]["message"]
    ollama.write_text("no key")
    told = examine(well)
    assert (told.status, told.faults, told["ollama_key"]["code"]) == (2, ["ollama_key"], "bad_key")


@needs_a_user
@pytest.mark.parametrize("what", ["file", "folder"])
def test_an_installed_ollamas_key_that_cannot_be_read_is_told(well: Cli, ollama: Path, what: str) -> None:
    (ollama if what == "file" else ollama.parent).chmod(0)
    command = [*AS_A_USER, COMMAND, "doctor", "--json"]
    done = subprocess.run(command, env=well.environment, capture_output=True, text=True, check=False, timeout=60)
    told = Told(done)
    assert (told.status, told.faults) == (2, ["ollama_key"])
    assert "Permission denied" in told["ollama_key"]["message"]
    ollama.parent.chmod(0o700)


# How it is told


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_example_for_scripts_names_the_faults(cli: Cli) -> None:
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^ollama-cli doctor --json .*jq.*$", page, re.MULTILINE)
    path = f"{Path(COMMAND).parent}:{cli.environment['PATH']}"
    environment = {**cli.environment, "PATH": path, "OLLAMA_HOST": "http://ollama.com"}
    done = subprocess.run(
        ["sh", "-c", example], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "place\n"


def test_a_terminal_of_any_width_shows_it(well: Cli) -> None:
    for columns in (100, 20):
        person = Terminal(well, "doctor", columns=columns, rows=60)
        assert person.end() == 0
        shown = re.sub(r"\s+", "", person.text)
        assert "Account" in shown
        assert "Signedinas" in shown
        assert b"Checking" in person.sent  # while it went on
        assert "Checking" not in person.text
    assert b"\x1b[32mok\x1b[0m" in person.sent
    plain = Terminal(well, "--no-color", "doctor")
    assert plain.end() == 0
    assert b"\x1b[32m" not in plain.sent


def test_requests_are_told_when_that_is_asked_for_and_no_secret_is(well: Cli) -> None:
    done = well("--debug", "doctor")
    assert done.returncode == 0
    assert "> HEAD http://127.0.0.1:" in done.stderr
    assert "> POST http://127.0.0.1:" in done.stderr
    assert "PRIVATE" not in done.stdout + done.stderr


def test_streams_that_are_closed_change_nothing(well: Cli) -> None:
    for closed, status in (("<&- >&- 2>&-", 0), (">/dev/full", 1)):
        command = ["sh", "-c", f'exec "$0" doctor {closed}', COMMAND]
        done = subprocess.run(command, env=well.environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr

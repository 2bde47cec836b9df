"""No secret is found where it does not belong: not in what is printed, kept, started, or told by a crash."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from canaries import found, found_below, private_half
from guarded_daemon import GuardedDaemon
from stored_credentials import keep_api_key
from support import NO_TLS, Cli, Sandbox, hidden_fields, make_device
from terminals import Terminal
from watching_proxy import WatchingProxy

from ollama_cli import DeviceKey
from ollama_cli.sandbox.server import EmbeddedSandbox

MODEL = "gpt-oss:120b-cloud"
PASSPHRASE = "correct-horse-battery-staple"
NOTES = """#!/bin/sh
{ printf '%s\\0' "$0" "$@"; cat "/proc/$$/environ"; tr '\\0' ' ' < "/proc/$PPID/cmdline"; } >> NOTES.$$
mv NOTES.$$ NOTES
"""
"""A program that notes how it was started, and by what."""

EVERY_COMMAND: Sequence[Sequence[str]] = [
    ["signin", "--no-wait"],
    ["signin", "--timeout", "0", "--qr", "--json"],
    ["status"],
    ["status", "--json"],
    ["run", MODEL, "hi"],
    ["run", MODEL, "hi", "--json", "--verbose"],
    ["run", "nonsense:cloud", "hi"],
    ["run", MODEL, "hi", "--option", "nonsense=1"],
    ["run", "tiny:local", "hi", "--json"],
    ["keys", "list"],
    ["profile", "list", "--json"],
    ["profile", "use", "default"],
    ["keys", "show", "--json"],
    ["keys", "revoke", "nonsense"],
    ["chats", "list"],
    ["completion", "bash"],
    ["nonsense"],
]
"""With ``--debug`` each prints what it would print without, and more."""


@dataclass
class Watched:
    """A device on the way to its sandbox.

    Attributes:
        cli: The device. All that it writes is below its home.
        sandbox: Its cloud.
        wiretap: The way there.
        printed: What it has printed so far.
    """

    cli: Cli
    sandbox: EmbeddedSandbox
    wiretap: WatchingProxy
    printed: bytes = b""
    secrets: dict[str, bytes] = field(default_factory=dict)

    def run(self, *args: str, stdin: str | None = None, **env: str) -> int:
        """Run a command, and keep what it prints; its exit status."""
        done = self.cli("--debug", "--insecure-storage", *args, stdin=stdin, env=env)
        self.printed += f"{done.stdout}\n{done.stderr}\n".encode()
        return done.returncode

    def take_key(self) -> DeviceKey:
        """Give the device a key of its own, whose private half is watched from now on."""
        key = make_device(self.cli, self.wiretap.url)
        self.secrets["device key"] = private_half(key.to_openssh().reveal())
        return key

    @property
    def key_file(self) -> str:
        """The file that may hold the private half."""
        (path,) = (self.cli.home / "state" / "data" / "keys").iterdir()
        return str(path.relative_to(self.cli.home))

    def assert_kept(self, *where: tuple[str, str]) -> None:
        """Nothing secret is anywhere, but in these files of the device."""
        secrets = self.secrets | self.wiretap.secrets
        assert self.wiretap.secrets
        assert not found(secrets, self.printed)
        assert found_below(secrets, self.cli.home) == set(where)
        assert not found_below(secrets, self.cli.home.parent / "cloud")
        journal = httpx.get(f"{self.sandbox.url}/sandbox/requests", trust_env=False, verify=NO_TLS)
        assert journal.json()
        assert not found(secrets, journal.content)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A device, its way, and its cloud."""
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    with EmbeddedSandbox(tmp_path / "cloud", pace=0) as sandbox, WatchingProxy(sandbox.url).running() as wiretap:
        folders = {"TMPDIR": str(home / "tmp"), "OLLAMA_CLI_KEEP": "1"}
        cli = Cli(home, {"OLLAMA_CLOUD_BASE_URL": wiretap.url, **folders})
        yield Watched(cli, sandbox, wiretap)


# The search itself


@pytest.mark.parametrize(
    "leak",
    [
        lambda secret: secret,
        lambda secret: secret[7:27],
        lambda secret: repr({"key": secret}).encode(),
        lambda secret: secret.hex().encode(),
        lambda secret: b"-----BEGIN-----\n" + b64encode(b"1234" + secret + b"5678"),
        lambda secret: b"\n".join(b64encode(secret + b"1")[at : at + 10] for at in range(0, 48, 10)),
        lambda secret: b"\x1b[1m".join(bytes([letter]) for letter in b64encode(secret)),
        lambda secret: quote(b64encode(b"12" + secret), safe="").encode(),
    ],
    ids=["whole", "a piece", "repr", "hex", "PEM", "wrapped", "coloured", "percent"],
)
def test_the_search_finds_a_leak(tmp_path: Path, leak: Callable[[bytes], bytes]) -> None:
    secrets = {"key": private_half(DeviceKey.generate().to_openssh().reveal()), "other": os.urandom(32)}
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "log").write_bytes(b"before " + leak(secrets["key"]) + b" after")
    assert found_below(secrets, tmp_path) == {("key", "folder/log")}


# Every command, with every credential


def test_a_stored_key_is_in_its_file_alone(watched: Watched) -> None:
    key = watched.take_key()
    for args in EVERY_COMMAND:
        watched.run(*args)
    watched.sandbox.approve(key.public_key, "device")
    for args in EVERY_COMMAND:
        watched.run(*args)
    watched.assert_kept(("device key", watched.key_file))
    assert b"POST" in watched.printed  # --debug says what is sent
    assert watched.run("signout") == 0
    watched.assert_kept()


@pytest.mark.parametrize("good", [True, False], ids=["good", "refused"])
def test_an_api_key_is_nowhere(watched: Watched, good: bool) -> None:
    api_key = watched.sandbox.make_api_key().reveal() if good else f"refused-{os.urandom(16).hex()}"
    watched.cli.environment["OLLAMA_API_KEY"] = api_key
    watched.secrets["API key"] = api_key.removeprefix("sandbox-").encode()
    for args in EVERY_COMMAND:
        watched.run(*args)
    watched.secrets["device key"] = private_half((watched.cli.home / watched.key_file).read_text())
    assert f"Bearer {api_key}" in watched.wiretap.authorizations
    watched.assert_kept(("device key", watched.key_file))


@pytest.mark.parametrize("good", [True, False], ids=["good", "refused"])
def test_a_stored_api_key_is_in_its_file_alone(watched: Watched, good: bool) -> None:
    api_key = watched.sandbox.make_api_key().reveal() if good else f"refused-{os.urandom(16).hex()}"
    if not good:
        keep_api_key(watched.cli, watched.wiretap.url, api_key)
    watched.run("signin", "--api-key", stdin=f"{api_key}\n")
    for args in EVERY_COMMAND:
        watched.run("--profile", "default", *args)
    where = (f"sent: {api_key.removeprefix('sandbox-')}", watched.key_file)
    assert f"Bearer {api_key}" in watched.wiretap.authorizations
    watched.assert_kept(where)
    assert watched.run("signout") == 0
    watched.assert_kept()


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_a_token_is_in_its_file_alone(watched: Watched, scheme: str) -> None:
    token = f"me:{os.urandom(16).hex()}" if scheme == "Basic" else os.urandom(16).hex()
    sent = b64encode(token.encode()).decode() if scheme == "Basic" else token
    daemon = GuardedDaemon(watched.sandbox.url, f"{scheme} {sent}")
    watched.sandbox.approve(daemon.device.public_key, "a daemon")
    with daemon.running(), WatchingProxy(daemon.url).running() as watched.wiretap:
        host = watched.wiretap.url
        command = ("signin", "--host", host, "--token", *(["--basic"] if scheme == "Basic" else []))
        watched.run(*command, stdin=f"wrong{token}\n")
        assert watched.run(*command, stdin=f"{token}\n") == 0
        daemon.repeats = True
        for refusing in (False, True):
            daemon.authorization = "nothing at all" if refusing else daemon.authorization
            for args in EVERY_COMMAND:
                watched.run(*args, OLLAMA_HOST=host)
        secrets = watched.secrets | watched.wiretap.secrets | {"token": token.encode(), "password": token.encode()[3:]}
        assert f"{scheme} {sent}" in watched.wiretap.authorizations
        assert not found(secrets, watched.printed)
        assert {path for _, path in found_below(secrets, watched.cli.home)} == {watched.key_file}
        assert watched.run("signout", "--host", host, "--token") == 0
        assert not found_below(secrets, watched.cli.home)


def test_a_key_that_is_given_is_in_no_file_but_its_own(watched: Watched) -> None:
    key = DeviceKey.generate()
    pem = key.to_openssh().reveal()
    watched.secrets["given key"] = private_half(pem)
    watched.sandbox.approve(key.public_key, "device")
    (watched.cli.home / "given").write_text(pem)
    given = ["--key-file", str(watched.cli.home / "given")]
    for args in (["status"], ["run", MODEL, "hi"], ["run", "nonsense:cloud", "hi"], ["signin", "--no-wait"]):
        watched.run(*given, *args)
        watched.cli.environment["OLLAMA_CLI_KEY"] = pem
        watched.run(*args)
        del watched.cli.environment["OLLAMA_CLI_KEY"]
    watched.secrets["device key"] = private_half((watched.cli.home / watched.key_file).read_text())
    watched.assert_kept(("given key", "given"), ("device key", watched.key_file))


@pytest.mark.parametrize(
    "args",
    [["--key-file", "SECRET", "status"], ["keys", "show", "SECRET"], ["keys", "revoke", "--yes", "SECRET"]],
    ids=["key file", "show", "revoke"],
)
def test_a_private_key_in_the_place_of_a_name_is_not_repeated(cli: Cli, args: list[str]) -> None:
    pem = DeviceKey.generate().to_openssh().reveal()
    for secret in (pem, "".join(pem.splitlines()[1:-1])):
        for option in ([], ["--debug"]):
            done = cli(*option, *(secret if word == "SECRET" else word for word in args))
            assert done.returncode == 2
            assert not found({"device key": private_half(pem)}, (done.stdout + done.stderr).encode())


@pytest.mark.parametrize("name", ["OLLAMA_HOST", "OLLAMA_CLOUD_BASE_URL", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_password_in_an_address_is_not_repeated(cli: Cli, name: str) -> None:
    secrets = {"password": PASSPHRASE.encode()}
    for address in (f"http://user:{PASSPHRASE}@127.0.0.1:9", f"socks9://user:{PASSPHRASE}@127.0.0.1:9"):
        for args in (["status"], ["run", MODEL, "hi"]):
            done = cli("--debug", *args, env={name: address, "OLLAMA_API_KEY": "a-key"})
            assert done.returncode in {2, 7}
            assert not found(secrets, (done.stdout + done.stderr).encode())


# A person at a terminal


def noting(folder: Path, name: str) -> Path:
    """Make a program that notes how it was started."""
    program = folder / name
    program.write_text(NOTES.replace("NOTES", shlex.quote(str(folder / f"{name}.notes"))))
    program.chmod(0o755)
    return program


def test_a_chat_its_editor_and_its_history_hold_no_secret(watched: Watched) -> None:
    api_key = watched.sandbox.make_api_key().reveal()
    editor = noting(watched.cli.home, "editor")
    watched.cli.environment |= {"OLLAMA_API_KEY": api_key, "OLLAMA_EDITOR": str(editor)}
    watched.secrets["API key"] = api_key.removeprefix("sandbox-").encode()
    terminal = Terminal(watched.cli, "--debug", "run", MODEL)
    terminal.until_prompt()
    terminal.type("hi\r")
    terminal.until_text("stand-in")
    terminal.until_prompt()
    terminal.type("\x07")
    terminal.until(lambda: (watched.cli.home / "editor.notes").exists() or not terminal.read(), "the editor")
    terminal.type("/show info\r")
    terminal.until_prompt()
    terminal.type("/bye\r")
    assert terminal.end() == 0
    watched.printed += terminal.sent
    assert str(editor).encode() in (watched.cli.home / "editor.notes").read_bytes()
    watched.assert_kept()


def test_a_browser_is_given_the_link_and_no_secret(watched: Watched) -> None:
    key, api_key = watched.take_key(), "a-key-that-the-browser-must-not-have"
    browser = noting(watched.cli.home, "browser")
    given = DeviceKey.generate().to_openssh().reveal()
    watched.cli.environment |= {"OLLAMA_API_KEY": api_key, "OLLAMA_CLI_KEY": given, "BROWSER": str(browser)}
    watched.secrets |= {"API key": api_key.encode(), "given key": private_half(given)}
    terminal = Terminal(watched.cli, "--debug", "signin")
    terminal.until_text("Waiting")
    notes = watched.cli.home / "browser.notes"
    terminal.until(lambda: notes.exists() or not terminal.read(), "the browser")
    watched.sandbox.approve(key.public_key, "device")
    assert terminal.end() == 0
    watched.printed += terminal.sent
    assert key.encoded.encode() in notes.read_bytes()
    watched.assert_kept(("device key", watched.key_file))


def test_a_passphrase_is_seen_nowhere(watched: Watched) -> None:
    path = watched.cli.home / "encrypted"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-C", "", "-f", str(path)], check=True)
    watched.secrets |= {"passphrase": PASSPHRASE.encode(), "key": private_half(path.read_text(), PASSPHRASE)}
    for typed in ([PASSPHRASE], ["wrong-" + PASSPHRASE] * 3):
        terminal = Terminal(watched.cli, "--debug", "--key-file", str(path), "status")
        for count, text in enumerate(typed, 1):
            asked = rf"(?s)(Passphrase for .*){{{count}}}encrypted: *\Z"
            terminal.until_text(asked)
            terminal.type(f"{text}\r")
        assert terminal.end() in {2, 4}
        watched.printed += terminal.sent
    watched.assert_kept()


# While it runs, and when it is ended


def told_by_the_system(process: int) -> bytes:
    """What anybody can see of a process and those that it started, and what its user can: arguments, environments."""
    told = b""
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            told += told_by_the_system(int(child))
    return told + Path(f"/proc/{process}/cmdline").read_bytes() + Path(f"/proc/{process}/environ").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize(
    "args", [["run", "qwen3-coder:480b-cloud", "hi"], ["signin", "--timeout", "60"]], ids=lambda args: args[0]
)
def test_a_process_shows_no_secret_and_leaves_none(
    tmp_path: Path, start: Callable[..., Sandbox], args: list[str], number: signal.Signals
) -> None:
    stalling = start("/api/generate=stall:2")
    with WatchingProxy(stalling.url).running() as wiretap:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": wiretap.url, "TMPDIR": str(tmp_path)})
        key = make_device(device, wiretap.url)
        if args[0] == "run":
            stalling.decide(f"{stalling.url}/connect?name=device&key={key.encoded}")
        process = device.start("--debug", "--insecure-storage", *args)
        assert process.stdout is not None
        came = process.stdout.readline() if args[0] == "signin" else process.stdout.read(1)
        told = told_by_the_system(process.pid)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert b"ollama-cli" in told
    secrets = {"device key": private_half(key.to_openssh().reveal())} | wiretap.secrets
    assert len(secrets) > 1
    assert not found(secrets, told + f"{came}{out}{err}".encode())
    assert {name for name, _ in found_below(secrets, tmp_path)} == {"device key"}
    assert len(found_below(secrets, tmp_path)) == 1


# A crash

BROKEN_SOCKETS = """
import os, socket

really_send = socket.socket.send

def send(self, data, *flags):
    if b"uthorization" not in data:
        return really_send(self, data, *flags)
    with open(os.environ["SENT"], "ab") as file:
        file.write(bytes(data))
    raise RuntimeError(f"could not send {bytes(data)!r}")

socket.socket.send = socket.socket.sendall = send
"""
"""Makes every request a crash, whose exception holds the whole request."""


@pytest.mark.parametrize("given", ["API key", "device key"])
def test_a_crash_tells_no_secret(tmp_path: Path, given: str) -> None:
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(BROKEN_SOCKETS)
    with WatchingProxy("http://127.0.0.1:9").running() as wiretap:  # it is connected with, and gets nothing
        environment = {"OLLAMA_CLOUD_BASE_URL": wiretap.url, "PYTHONPATH": str(tmp_path / "path")}
        device = Cli(tmp_path, {**environment, "SENT": str(tmp_path / "sent")})
        secrets = {"device key": private_half(make_device(device, wiretap.url).to_openssh().reveal())}
        if given == "API key":
            device.environment["OLLAMA_API_KEY"] = "a-key-that-a-crash-must-not-tell"
        printed = b""
        for options in ([], ["--debug"]):
            for args in (["status"], ["run", MODEL, "hi"], ["run", MODEL, "hi", "--json"], ["signout"]):
                done = device(*options, *args)
                assert done.returncode == 1
                assert "RuntimeError" in done.stderr
                assert ("File " in done.stderr) == bool(options)
                printed += f"{done.stdout}{done.stderr}".encode()
        printed += crashing_chat(device)
    for sent in re.findall(rb"(?im)^authorization: *(?:Bearer |[^:\r]*:)([^\r]*)", (tmp_path / "sent").read_bytes()):
        secrets[f"sent: {sent!r}"] = sent
    assert len(secrets) > 1
    assert not found(secrets, printed)


def crashing_chat(device: Cli) -> bytes:
    """What a chat prints whose every request is a crash, in whatever thread."""
    terminal = Terminal(device, "--debug", "run", MODEL)
    terminal.until_prompt()
    terminal.type("hi\r")
    terminal.until_text("RuntimeError")
    terminal.type("\x04")
    assert terminal.end() == 0
    return terminal.sent


FAILING_TEST = """
from pathlib import Path

import httpx

from ollama_cli import DeviceKey, OllamaAuth
from ollama_cli.credentials.chosen import choose, open_wallet
from ollama_cli.credentials.credential import ApiKey, Token
from ollama_cli.credentials.key_reader import KeyReader
from ollama_cli.secret import Secret
from ollama_cli.settings import Settings
from ollama_cli.transport.client import open_client

ORIGIN = "http://127.0.0.1:9"


def send(client, request):
    assert client.auth is None, request


def test_that_fails():
    secret = Secret(Path("api-key").read_text())
    api_key, key = ApiKey(secret), DeviceKey.from_openssh(Path("key").read_text())
    pem, auth = key.to_openssh(), OllamaAuth(key)
    bearer = OllamaAuth(api_key, ORIGIN)
    settings = Settings.from_environment(
        {"OLLAMA_API_KEY": secret.reveal(), "OLLAMA_CLI_KEY": pem.reveal(), "OLLAMA_CLI_HOME": str(Path.cwd())}
    )
    active, reader = choose(settings, "https://ollama.com"), KeyReader()
    wallet = open_wallet(settings, new_store="file")
    stored = wallet.ensure("https://ollama.com")
    token = Token.basic(Secret(f"me:{secret.reveal()}"))
    wallet.secrets.put("https://box", "basic", token.authorization)
    found = wallet.secrets.find("https://box", api_key=False)
    request = next(bearer.auth_flow(httpx.Request("POST", ORIGIN)))
    assert secret.reveal() in request.headers["Authorization"]
    everything = [secret, api_key, key, pem, auth, bearer, settings, active, wallet, reader, stored, token, found]
    assert not [vars(thing) for thing in everything if hasattr(thing, "__dict__")], request.headers
"""


def test_the_output_of_a_failing_test_tells_no_secret(tmp_path: Path) -> None:
    pem, api_key = DeviceKey.generate().to_openssh().reveal(), os.urandom(24).hex()
    (tmp_path / "key").write_text(pem)
    (tmp_path / "api-key").write_text(api_key)
    (tmp_path / "test_fails.py").write_text(FAILING_TEST)
    options = ["-p", "no:cacheprovider", "-vv", "-l", "-rA", "--tb=long", "--full-trace", f"--rootdir={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_fails.py"], cwd=tmp_path, capture_output=True, check=False
    )
    assert b"1 failed" in done.stdout
    assert b"DeviceKey(SHA256:" in done.stdout
    assert b"everything" in done.stdout
    assert not found({"device key": private_half(pem), "API key": api_key.encode()}, done.stdout + done.stderr)


# The sandbox


def test_the_sandbox_keeps_and_tells_no_secret(tmp_path: Path) -> None:
    device = Cli(tmp_path)
    process = device.start("--debug", "sandbox", "--port", "0")
    assert process.stderr is not None
    first = process.stderr.readline()
    url = re.findall(r"http://127\.0\.0\.1:\d+", first)[0]
    sandbox = Sandbox(url)
    try:
        sandbox.decide(device("--sandbox", "signin", "--no-wait").stdout.strip())
        (key_file,) = (tmp_path / "state" / "data" / "sandbox" / "data" / "keys").iterdir()
        secrets = {"device key": private_half(key_file.read_text())}
        answers = b""
        with (
            httpx.Client(trust_env=False, verify=NO_TLS, base_url=url) as browser,
            httpx.Client(trust_env=False, verify=NO_TLS) as other,
        ):
            fields = hidden_fields(browser.get("/settings/keys").text)
            made = browser.post("/settings/keys", data={**fields, "action": "make-api-key", "name": "x"}).text
            (api_key,) = set(re.findall(r"sandbox-[\w-]{43}", made))
            again = browser.get("/settings/keys")
            secrets |= {"API key": api_key.removeprefix("sandbox-").encode(), "used form": fields["token"].encode()}
            answers += again.content
            secrets["form"] = hidden_fields(again.text)["token"].encode()
            secrets["browser"] = next(iter(browser.cookies.values())).encode()
            answers_to = [
                other.post(f"{url}/settings/keys", data={**hidden_fields(again.text), "action": "make-api-key"}),
                other.post(f"{url}/connect", data={"token": hidden_fields(again.text)["token"], "key": api_key}),
                other.post(f"{url}/api/me?token={api_key[:9]}", headers={"Authorization": f"Basic {api_key}"}),
                other.get(f"{url}/api/tags", headers={"Authorization": f"Bearer {api_key}x"}),
                other.get(f"{url}/nowhere", headers={"Authorization": f"Bearer {api_key}", "X-Api-Key": api_key}),
            ]
            assert all(answer.status_code >= 400 for answer in answers_to[:3])
        shown = b"".join(answer.content + str(answer.headers).encode() for answer in answers_to)
        shown += httpx.get(f"{url}/sandbox/requests", trust_env=False, verify=NO_TLS).content
        assert b"Basic" not in shown
        assert found({name: secrets[name] for name in ("form", "API key", "browser")}, answers) == {"form"}
        assert not found(secrets, shown)
    finally:
        process.terminate()
        out, err = process.communicate(timeout=10)
    assert not found(secrets, f"{first}{out}{err}".encode())
    assert found_below(secrets, tmp_path) == {("device key", str(key_file.relative_to(tmp_path)))}

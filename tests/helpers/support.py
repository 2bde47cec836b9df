"""What tests of the installed command share: a clean environment, the command, the sandbox, a person at its page."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from forking import Forks

from ollama_cli import DeviceKey, signin_url
from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.credentials.wallet import Wallet
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.settings import Settings

COMMAND = str(Path(sys.executable).with_name("ollama-cli"))
SECONDS = 60

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of a sandbox: to load certificates that it has no use for costs more than most requests."""

_KEPT = ("PATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "SYSTEMROOT")


AS_A_USER = ["unshare", "--map-user=54321", "--"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
"""Permissions mean nothing to root: where the tests run as root, the command runs as somebody without a name."""


def can(*command: str) -> bool:
    """Whether a command that starts another works here."""
    try:
        return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


needs_mounts = pytest.mark.skipif(not can("unshare", "--mount", "--"), reason="mounting takes root")
needs_a_user = pytest.mark.skipif(not can(*AS_A_USER), reason="a user namespace is not allowed here")


def clean_environment(home: Path) -> dict[str, str]:
    """An environment in which nothing of the real person's is seen: no home, no keyring, no display, no credential."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return environment | {"HOME": str(home), "OLLAMA_CLI_HOME": str(home / "state"), "LANG": "C.UTF-8"}


@dataclass
class Cli:
    """The installed command in a home of its own.

    Attributes:
        home: Its home.
        environment: What its environment holds.
        forks: Where its calls are forked from, for tables of many; None has the interpreter start each time.
    """

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    forks: Forks | None = None

    def __post_init__(self) -> None:
        self.environment = clean_environment(self.home) | self.environment

    def __call__(
        self,
        *args: str,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; without ``stdin`` it reads from /dev/null."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        environment = self.environment | dict(env or {})
        if self.forks is not None and "PYTHONPATH" not in environment:  # that is for an interpreter that starts
            return self.forks(*args, env=environment, stdin=data, cwd=cwd)
        done = subprocess.run(
            [COMMAND, *args],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            env=environment,
            cwd=cwd,
            timeout=SECONDS,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start it, with pipes for stdout and stderr."""
        return subprocess.Popen(
            [COMMAND, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment | dict(env or {}),
            text=True,
        )


@dataclass
class Sandbox:
    """A sandbox that is running somewhere."""

    url: str

    def requests(self) -> list[dict[str, Any]]:
        """The requests that it was sent, without those about itself."""
        answer: list[dict[str, Any]] = httpx.get(f"{self.url}/sandbox/requests", trust_env=False, verify=NO_TLS).json()
        return answer

    def decide(self, link: str, action: str = "approve") -> httpx.Response:
        """Do at the page what a person does: open the link and press a button."""
        with httpx.Client(trust_env=False, verify=NO_TLS) as browser:
            page = browser.get(link)
            assert page.status_code == 200, page.text
            return browser.post(f"{self.url}/connect", data={**hidden_fields(page.text), "action": action})

    def take_off_all(self) -> None:
        """Remove every device at the settings page."""
        with httpx.Client(trust_env=False, verify=NO_TLS, base_url=self.url) as browser:
            page = browser.get("/settings/keys").text
            for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
                if "remove" in form and "key" in form:
                    browser.post("/settings/keys", data=hidden_fields(form))


@contextmanager
def closed_port() -> Iterator[int]:
    """A port at which nothing listens, and that nobody else gets while the block runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def until(happened: Callable[[], object], process: subprocess.Popen[Any] | None = None) -> None:
    """Wait until something has happened, which nothing tells of; no longer than the process runs that is to do it."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "waited for what did not happen"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden fields of a form."""
    fields = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", html):
        attributes = dict(re.findall(r"(\w+)=\"([^\"]*)\"", tag))
        fields[attributes["name"]] = attributes["value"]
    return fields


def start_sandbox(home: Path) -> tuple[Sandbox, subprocess.Popen[str]]:
    """Start ``ollama-cli sandbox`` on a free port, and wait until it says where it is."""
    process = Cli(home).start("sandbox", "--port", "0")
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return Sandbox(found[0]), process
    raise AssertionError(f"the sandbox did not start: {process.wait()}")


def approved_key(sandbox: EmbeddedSandbox) -> DeviceKey:
    """A new device key that is on the account of a sandbox in this process."""
    key = DeviceKey.generate()
    sandbox.approve(key.public_key, "a test's device")
    return key


def make_device(device: Cli, url: str) -> DeviceKey:
    """Give a device its key for a server in a file, without a word to the server."""
    return wallet_of(device).ensure(url).credential


def wallet_of(device: Cli, profile: str | None = None) -> Wallet:
    """What a device, or a profile on it, keeps; a new key is kept in a file."""
    settings = Settings(home_override=Path(device.environment["OLLAMA_CLI_HOME"]))
    return open_wallet(settings, new_store="file", profile=profile)


def approve(sandbox: Sandbox, key: DeviceKey) -> None:
    """Put a key on the sandbox's account, at its page."""
    assert sandbox.decide(signin_url("device", key.public_key, base_url=sandbox.url)).status_code == 200

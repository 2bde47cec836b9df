"""What tests of a rotation share: a device beside a sandbox in this process, and which keys either of the two knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import Cli, make_device

from ollama_cli import DeviceKey
from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.sandbox.accounts import Accounts
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.settings import Settings

APPROVED_BY = "sandbox"
"""The name of the sandbox's account."""


@dataclass
class Rotating:
    """A device whose key is on the account, in a file.

    Attributes:
        device: The installed command.
        cloud: The server.
        accounts: What the server knows.
        old: The key that the device begins with.
    """

    device: Cli
    cloud: EmbeddedSandbox
    accounts: Accounts
    old: DeviceKey

    @property
    def on_account(self) -> set[str]:
        """The public keys that the server knows."""
        return {device.public_key for device in self.accounts.devices()}

    @property
    def files(self) -> list[Path]:
        """Every file below the folder of keys, hidden ones included."""
        return sorted((self.device.home / "state" / "data" / "keys").iterdir())

    @property
    def here(self) -> set[str]:
        """The public keys of the private keys that this machine holds, listed or not."""
        return {DeviceKey.from_openssh(path.read_text()).public_key for path in self.files}

    def listed(self) -> list[tuple[str, str | None]]:
        """The public keys that the device lists, and what each is to a rotation."""
        keys: list[dict[str, Any]] = json.loads(self.index.read_text())["credentials"]
        return [(key["public_key"], key["role"]) for key in keys]

    @property
    def index(self) -> Path:
        """The list of keys."""
        return self.device.home / "state" / "data" / "credentials.json"

    def begin(self, account: str = APPROVED_BY) -> DeviceKey:
        """Take the first steps of a rotation: its new key is stored and listed."""
        settings = Settings(home_override=Path(self.device.environment["OLLAMA_CLI_HOME"]))
        wallet = open_wallet(settings, new_store="file")
        return wallet.rotation(self.cloud.url).begin("file", account, None).credential

    def approve(self, key: DeviceKey) -> None:
        """Put a key on the account."""
        self.cloud.approve(key.public_key, "device")

    def is_done(self, new: str | None = None) -> bool:
        """Whether server and machine know one key, the same, which is not the old one."""
        known = self.on_account
        if len(known) != 1 or len(self.files) != 1:
            return False
        return self.old.public_key not in known and self.here == known and new in {None, *known}

    def has_a_working_key(self) -> bool:
        """Whether the key that signs here is on the account."""
        return any(role == "current" and key in self.on_account & self.here for key, role in self.listed())


@contextmanager
def rotating(folder: Path, *faults: str, pace: float = 0.001) -> Iterator[Rotating]:
    """Such a device, beside a sandbox with faults and so many seconds between the words of an answer."""
    with EmbeddedSandbox(folder / "cloud", faults=faults, pace=pace) as cloud:
        yield signed_in_at(cloud, Accounts(folder / "cloud"), folder / "home")


def signed_in_at(cloud: EmbeddedSandbox, accounts: Accounts, home: Path) -> Rotating:
    """Such a device, the only one on the account of a sandbox that is there already."""
    for known in accounts.devices():
        accounts.remove(known.public_key)
    device = Cli(home, {"OLLAMA_CLOUD_BASE_URL": cloud.url})
    old = make_device(device, cloud.url)
    cloud.approve(old.public_key, "device")
    return Rotating(device, cloud, accounts, old)


def json_error(stderr: str) -> dict[str, Any]:
    """The error that ``--json`` prints last."""
    error: dict[str, Any] = json.loads(stderr.splitlines()[-1])["error"]
    return error


def link_of(args: Sequence[str]) -> str:
    """The link among lines of an answer."""
    (link,) = [line for line in args if "/connect?" in line]
    return link

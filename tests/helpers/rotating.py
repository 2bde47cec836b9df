"""What tests of a rotation share: a device beside a sandbox in this process, and which keys either of the two knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import Cli

from ollama_cli import DeviceKey
from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.credentials.keyring_store import KeyringStore
from ollama_cli.credentials.listing import entry_name
from ollama_cli.credentials.wallet import Wallet
from ollama_cli.sandbox.accounts import Accounts
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.settings import Settings

APPROVED_BY = "sandbox"
"""The name of the sandbox's account."""

NOTHING: Mapping[str, str] = {}


@dataclass
class Rotating:
    """A device whose key is on the account, in a file.

    Attributes:
        device: The installed command.
        cloud: The server.
        accounts: What the server knows.
        old: The key that the device begins with.
        store: The kind of store that the device keeps its keys in; a keyring is the one that this process finds.
    """

    device: Cli
    cloud: EmbeddedSandbox
    accounts: Accounts
    old: DeviceKey
    store: str = "file"

    @property
    def on_account(self) -> set[str]:
        """The public keys that the server knows."""
        return {device.public_key for device in self.accounts.devices()}

    @property
    def files(self) -> list[Path]:
        """Every file below the folder of keys, hidden ones included."""
        return sorted((self.device.home / "state" / "data" / "keys").iterdir())

    @property
    def secrets(self) -> list[str]:
        """Every private key that this machine holds, listed or not."""
        if self.store == "file":
            return [path.read_text() for path in self.files]
        import secretstorage

        with closing(secretstorage.dbus_init()) as connection:
            items = list(secretstorage.get_default_collection(connection).get_all_items())
            return [item.get_secret().decode() for item in items if self.cloud.url in item.get_label()]

    @property
    def here(self) -> set[str]:
        """The public keys of the private keys that this machine holds."""
        return {DeviceKey.from_openssh(text).public_key for text in self.secrets}

    def listed(self) -> list[tuple[str, str | None]]:
        """The public keys that the device lists, and what each is to a rotation."""
        keys: list[dict[str, Any]] = json.loads(self.index.read_text())["credentials"]
        return [(key["public_key"], key.get("role", "current")) for key in keys]

    @property
    def index(self) -> Path:
        """The list of keys."""
        return self.device.home / "state" / "data" / "credentials.json"

    def begin(self, account: str = APPROVED_BY) -> DeviceKey:
        """Take the first steps of a rotation: its new key is stored and listed."""
        return _wallet(self.device, self.store).rotation(self.cloud.url).begin(self.store, account, None).credential

    def begin_encrypted(self, passphrase: str) -> DeviceKey:
        """The same, with a passphrase on the new key."""
        rotation = _wallet(self.device, self.store).rotation(self.cloud.url)
        return rotation.begin(self.store, APPROVED_BY, passphrase).credential

    def approve(self, key: DeviceKey) -> None:
        """Put a key on the account."""
        self.cloud.approve(key.public_key, "device")

    def is_done(self, new: str | None = None) -> bool:
        """Whether server and machine know one key, the same, which is not the old one."""
        known = self.on_account
        if len(known) != 1 or len(self.secrets) != 1:
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


def signed_in_at(
    cloud: EmbeddedSandbox,
    accounts: Accounts,
    home: Path,
    store: str = "file",
    environment: Mapping[str, str] = NOTHING,
) -> Rotating:
    """Such a device, the only one on the account of a sandbox that is there already."""
    for known in accounts.devices():
        accounts.remove(known.public_key)
    device = Cli(home, {"OLLAMA_CLOUD_BASE_URL": cloud.url, **environment})
    wallet = _wallet(device, store)
    if store == "keyring":  # which several homes share
        for slot in (1, 2):
            KeyringStore(person_present=False).delete(entry_name(wallet.profile, cloud.url, slot))
    old = wallet.ensure(cloud.url).credential
    cloud.approve(old.public_key, "device")
    return Rotating(device, cloud, accounts, old, store)


def _wallet(device: Cli, store: str) -> Wallet:
    return open_wallet(Settings(home_override=Path(device.environment["OLLAMA_CLI_HOME"])), new_store=store)


def json_error(stderr: str) -> dict[str, Any]:
    """The error that ``--json`` prints last."""
    error: dict[str, Any] = json.loads(stderr.splitlines()[-1])["error"]
    return error


def link_of(args: Sequence[str]) -> str:
    """The link among lines of an answer."""
    (link,) = [line for line in args if "/connect?" in line]
    return link

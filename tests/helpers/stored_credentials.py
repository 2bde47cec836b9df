"""What a test's device keeps, put there and looked at without starting a command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support import Cli, wallet_of

from ollama_cli import DeviceKey
from ollama_cli.secret import Secret


def keep_key(device: Cli, url: str, profile: str) -> DeviceKey:
    """Give a profile a device key for a server; no server hears of it."""
    return wallet_of(device, profile).ensure(url).credential


def keep_api_key(device: Cli, url: str, secret: str, profile: str = "default") -> None:
    """Give a profile an API key for what stands in for ollama.com."""
    wallet_of(device, profile).secrets.put(url, "api_key", Secret(secret))


def keep_token(device: Cli, origin: str, header: str, profile: str = "default") -> None:
    """Give a profile a token for a daemon's origin."""
    wallet_of(device, profile).secrets.put(origin, header.split(maxsplit=1)[0].lower(), Secret(header))


def index_file(device: Cli) -> Path:
    """The file with the list of what is stored."""
    return Path(device.environment["OLLAMA_CLI_HOME"]) / "data" / "credentials.json"


def listed(device: Cli) -> dict[str, Any]:
    """What that file holds."""
    content: dict[str, Any] = json.loads(index_file(device).read_text())
    return content


def entries(device: Cli) -> dict[str, str]:
    """The entries of the store in files, and what each holds."""
    folder = index_file(device).parent / "keys"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


def use(device: Cli, profile: str) -> None:
    """Have a profile be the current one."""
    wallet_of(device).profiles.use(profile)

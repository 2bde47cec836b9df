"""``keys``: the device keys of this machine."""

from __future__ import annotations

import typer

from ollama_cli.commands.lazy import Listed, lazy_group

COMMANDS = (
    Listed("list", "keys.list_keys", "List the device keys that this machine holds."),
    Listed("show", "keys.show", "Show the public half of a device key."),
    Listed("revoke", "keys.revoke", "Take device keys off your account."),
    Listed("rotate", "keys.rotate", "Put a new key in the place of this device's key for ollama.com."),
    Listed("import", "keys.import_key", "Keep a private key in OpenSSH form as this device's key."),
    Listed("export", "keys.export_key", "Write this device's private key for ollama.com in OpenSSH form."),
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = lazy_group(COMMANDS)
    app.add_typer(typer.Typer(name="keys", cls=group, help="This machine's device keys.", no_args_is_help=True))

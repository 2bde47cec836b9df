"""``keys list``: the device keys that this machine holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import KeysCommand

if TYPE_CHECKING:
    from ollama_cli.context import Context
    from ollama_cli.credentials.key_facts import KeyFacts

_HEADINGS = ("FINGERPRINT", "MADE", "LAST USED", "STORE", "PROFILE", "ORIGIN", "THIS DEVICE")


@dataclass(frozen=True)
class ListOptions:
    """What the command line of ``keys list`` says.

    Attributes:
        as_json: Whether to print JSON.
    """

    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list", cls=KeysCommand)(list_keys)


def list_keys(
    typer_context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the device keys that this machine holds.

    Asks no server: these are not all keys of your account. ollama.com lists those at
    https://ollama.com/settings/keys, and offers no way to ask for them from here.
    """
    run(typer_context.obj, ListOptions(as_json))


def run(context: Context, options: ListOptions) -> None:
    """Print what the list of stored credentials holds; no store is opened.

    Raises:
        SignInError: The profile that is named is not there.
    """
    from ollama_cli.credentials.key_facts import key_facts
    from ollama_cli.terminal.tables import show_table

    context.require_profile()
    own = context.device_record
    keys = [key_facts(record.public_key, record, own) for record in context.wallet.records()]
    if options.as_json:
        context.streams.answer(json.dumps([facts.as_json() for facts in keys]))
        return
    rows = [
        (
            key.fingerprint,
            key.made_on,
            key.last_used_on or "never",
            _store(key),
            key.profile or "",
            key.origin or "",
            _this_device(key),
        )
        for key in keys
    ]
    show_table(context.streams, _HEADINGS, rows, folds=True)
    if not rows:
        way = "This machine has no device key. `ollama-cli signin` makes one."
        context.streams.say(context.to_be_typed(way, at_ollama_com=True))


def _store(key: KeyFacts) -> str:
    return f"{key.store}, Ollama's too" if key.shared_with else key.store or ""


def _this_device(key: KeyFacts) -> str:
    if key.rotation is not None:
        return "not yet" if key.rotation == "new" else "no longer"
    return "yes" if key.this_device else "no"

"""``keys show``: the public half of a device key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import KeysCommand
from ollama_cli.commands.keys.given import refuse_key_file
from ollama_cli.commands.keys.own import no_device_key

if TYPE_CHECKING:
    from ollama_cli.context import Context


@dataclass(frozen=True)
class ShowOptions:
    """What the command line of ``keys show`` says.

    Attributes:
        key: How the key is named; None is this device's own.
        as_json: Whether to print JSON.
    """

    key: str | None = None
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show", cls=KeysCommand)(show)


def show(
    typer_context: typer.Context,
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", show_default=False, help="By default this device's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the public half of a device key.

    KEY is a fingerprint (SHA256:…) of a key of this machine, or a public key line in quotes, a .pub file, or an
    encoded key, of any device. Asks no server, and never shows a private key.
    """
    run(typer_context.obj, ShowOptions(key, as_json))


def run(context: Context, options: ShowOptions) -> None:
    """Print what is known of a key; no store is opened.

    Raises:
        SignInError: This device has no key, and no other is named.
        UsageError: The text names no key, or --key-file is given where this device's own is meant.
    """
    from ollama_cli.credentials.key_facts import key_facts
    from ollama_cli.credentials.key_reference import resolve
    from ollama_cli.terminal.facts import show_facts

    if options.key is None:
        refuse_key_file(context)
        context.require_profile()
    own, records = context.device_record, context.wallet.records()
    if options.key is not None:
        public_key = resolve(options.key, (record.public_key for record in records))
    elif own is not None:
        public_key = own.public_key
    else:
        raise no_device_key(context)
    record = next((record for record in (own, *records) if record and record.public_key == public_key), None)
    facts = key_facts(public_key, record, own)
    if options.as_json:
        context.streams.answer(json.dumps(facts.as_json()))
        return
    show_facts(
        context.streams,
        {
            "Public key": facts.public_key,
            "Fingerprint": facts.fingerprint,
            "Encoded": facts.encoded,
            "Store": context.wallet.describe_store(record) if record else None,
            "Profile": facts.profile,
            "Origin": facts.origin,
            "Made": facts.made,
            "Last used": facts.last_used,
            "This device": "yes" if facts.this_device else "no",
            "Rotation": {"new": "not in use yet", "old": "replaced"}.get(facts.rotation or ""),
            "Shared with": "the installed Ollama" if facts.shared_with else None,
        },
    )
    if record is None:
        context.streams.say("This key is not one of this machine's.")

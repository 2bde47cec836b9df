"""``keys import``: a private key that was made elsewhere becomes this device's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import KeysCommand
from ollama_cli.commands.keys.given import refuse_key_file
from ollama_cli.errors import SafetyError, UsageError

if TYPE_CHECKING:
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import StoredKey
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.secret import Secret

_STDIN = "-"


@dataclass(frozen=True)
class ImportOptions:
    """What the command line of ``keys import`` says.

    Attributes:
        source: The file, or ``-`` for standard input.
        as_json: Whether to print JSON.
    """

    source: str
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", cls=KeysCommand)(import_key)


def import_key(
    typer_context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The private key's file, or - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Keep a private key in OpenSSH form as this device's key.

    It signs for ollama.com. A passphrase is asked for at a terminal, and stays on the stored key. Another key that
    this device has is never overwritten: `signout` first. Asks no server; `signin` puts the key on an account, if it
    is not on one.
    """
    run(typer_context.obj, ImportOptions(file, as_json))


def run(context: Context, options: ImportOptions) -> None:
    """Read the key, store it, and say what came of it.

    Raises:
        UsageError: It cannot be read, or is no usable private key.
        SafetyError: It is this machine's key for another server.
        StoreError: The store cannot be used, or holds another key.
    """
    from ollama_cli.credentials.key_form import kept_form
    from ollama_cli.credentials.ollama_key import is_ollama_key

    refuse_key_file(context, hint="Leave it out, and name the file after `keys import`.")
    if context.options.sandbox:
        raise UsageError("The sandbox has a key of its own.", hint="Leave out --sandbox.")
    key, text = _read(context, options.source)
    name = context.device_key_name
    _refuse_key_of_another_server(context, key)
    before = context.wallet.find(name)
    shared_with = "ollama" if is_ollama_key(context.settings.user_home, key.public_key) else None
    stored = context.wallet.adopt(name, key, kept_form(key, text), shared_with=shared_with)
    outcome = "already_kept" if before is not None else "imported"
    if options.as_json:
        _print_facts(context, outcome, key)
    else:
        _tell(context, options.source, before, stored)
    _tell_what_counts_before(context)


def _read(context: Context, source: str) -> tuple[DeviceKey, Secret]:
    from ollama_cli.credentials.device_key import KeyTextError
    from ollama_cli.credentials.given import MOST_CHARACTERS, read_key_text, within_bounds
    from ollama_cli.secret import Secret

    if source == _STDIN:
        shown = "standard input"
        text = within_bounds(context.streams.piped_input(MOST_CHARACTERS + 1), "What is on standard input")
        if not text.strip():
            raise UsageError(
                "There is no key on standard input.", hint="Pipe the key in, or name its file.", code="bad_key"
            )
    else:
        shown, text = source, read_key_text(Path(source))
    try:
        return context.key_reader.read(text, shown), Secret(text)
    except KeyTextError as error:
        hint = error.hint
        if error.reason == "encrypted" and source == _STDIN:
            hint = "Name its file instead, at a terminal, where the passphrase is asked for."
        raise UsageError(f"The key from {shown} cannot be used: {error.message}", hint=hint, code=error.code) from error


def _refuse_key_of_another_server(context: Context, key: DeviceKey) -> None:
    """A signature names no server: one that is made for another could be used at ollama.com."""
    for record in context.wallet.records():
        if record.public_key == key.public_key and record.origin != context.device_key_name:
            raise SafetyError(
                f"This key signs for {record.origin} already, and what it signs there could be used at ollama.com.",
                hint="Use another key; `ollama-cli signin` makes one.",
            )


def _print_facts(context: Context, outcome: str, key: DeviceKey) -> None:
    from ollama_cli.credentials.key_facts import key_facts

    record = context.device_record
    context.streams.answer(json.dumps({"outcome": outcome, **key_facts(key.public_key, record, record).as_json()}))


def _tell(context: Context, source: str, before: StoredKey | None, stored: StoredKey) -> None:
    from ollama_cli.terminal.sanitize import clean_line

    say, fingerprint = context.streams.say, stored.credential.fingerprint
    if before is not None:
        say(f"This device has the key {fingerprint} already.")
        if stored.shared_with_ollama and not before.shared_with_ollama:
            say("It is the installed Ollama's key too: both are one device.")
        return
    say(clean_line(f"This device's key is now {fingerprint}, in {stored.source}."))
    if source != _STDIN and not stored.shared_with_ollama:
        say(clean_line(f"{source} is left as it is, and holds the key too."))
    way = "If it is on no account yet, `ollama-cli signin` puts it on yours."
    say(context.to_be_typed(way, at_ollama_com=True))


def _tell_what_counts_before(context: Context) -> None:
    from ollama_cli.api.place import cloud_place
    from ollama_cli.commands.shared.still_active import tell_what_counts_before

    if not context.settings.no_cloud:
        tell_what_counts_before(context, cloud_place(context.settings))

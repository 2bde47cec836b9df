"""``keys export``: this device's key in OpenSSH form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import KeysCommand
from ollama_cli.commands.keys.given import refuse_key_file
from ollama_cli.commands.keys.own import own_key, own_record
from ollama_cli.errors import DeclinedError, StoreError, UsageError

if TYPE_CHECKING:
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import StoredKey

_PRIVATE_MODE, _PUBLIC_MODE = 0o600, 0o644


@dataclass(frozen=True)
class ExportOptions:
    """What the command line of ``keys export`` says.

    Attributes:
        file: The file to write; None is stdout.
        stdout: Whether stdout was asked for by name.
        public: Whether the public half is meant.
        passphrase: Whether to ask for a passphrase to encrypt the key with.
        force: Whether to replace a file.
        yes: Whether it was agreed to beforehand.
    """

    file: Path | None = None
    stdout: bool = False
    public: bool = False
    passphrase: bool = False
    force: bool = False
    yes: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", cls=KeysCommand)(export_key)


def export_key(
    typer_context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE, or with - to stdout.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="The public key line only.")] = False,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Encrypt the key with a passphrase, which is asked for.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Write this device's private key for ollama.com in OpenSSH form.

    Whoever has it can act as this device. Asks first at a terminal; a script says --yes. FILE can be read by its
    owner only. A stored key that has a passphrase keeps it.
    """
    stdout = output == Path("-")
    file = None if stdout else output
    run(typer_context.obj, ExportOptions(file, stdout, public, passphrase, force, yes))


def run(context: Context, options: ExportOptions) -> None:
    """Check what can be checked, ask, and write the key.

    Raises:
        UsageError: The options do not fit, nobody is there to agree, or the file cannot be made.
        SignInError: This device has no key.
        StoreError: The store cannot be used.
    """
    from ollama_cli.terminal.new_file import check_target

    refuse_key_file(context, hint="Leave it out: this file holds its key already.")
    context.require_profile()
    _refuse_what_does_not_fit(context, options)
    if options.file is not None:
        check_target(options.file, replace=options.force)
    if options.public:
        _write(context, options, f"{own_record(context).public_key}\n")
        return
    stored = own_key(context)
    if not options.yes:
        _ask(context, options, stored)
    _write(context, options, _private_text(context, options, stored))
    _note_if_shared(context, stored)


def _refuse_what_does_not_fit(context: Context, options: ExportOptions) -> None:
    if options.force and options.file is None:
        raise UsageError("--force replaces a file, and none is written.", hint="Leave it out, or write to -o FILE.")
    if options.public and options.passphrase:
        raise UsageError("A public key is not encrypted.", hint="Leave out --passphrase or --public.")
    if not options.public and options.file is None and not options.stdout:
        raise UsageError(
            "A private key is not printed unasked.",
            hint="Say where it goes: -o FILE, or -o - for stdout. --public prints the public key.",
        )
    if options.passphrase:
        context.require_interactive(
            "A new passphrase is asked for at a terminal, and there is none.",
            "Leave out --passphrase; `ssh-keygen -p -f FILE` puts one on a file.",
        )


def _ask(context: Context, options: ExportOptions, stored: StoredKey) -> None:
    """Have a person agree.

    Raises:
        UsageError: Nobody is there.
        DeclinedError: The answer is no.
    """
    from ollama_cli.terminal.prompts import confirm

    context.require_interactive("Exporting a private key needs a yes.", "Say --yes to do it without a question.")
    key = f"the private key {stored.credential.fingerprint}"
    if options.file is None:
        question = f"Print {key}?"
    elif options.file.exists():
        question = f"Replace {options.file} with {key}?"
    else:
        question = f"Write {key} to {options.file}?"
    context.streams.say("Whoever has this device's private key can use your account as this device.")
    if not confirm(context.streams, question, default=False):
        raise DeclinedError("Nothing was exported.")


def _private_text(context: Context, options: ExportOptions, stored: StoredKey) -> str:
    from ollama_cli.credentials.key_form import kept_form
    from ollama_cli.terminal.prompts import ask_new_passphrase

    if options.passphrase:
        passphrase = ask_new_passphrase(context.streams)
        if passphrase is None:
            raise UsageError("Nothing was exported: no passphrase was typed twice alike.", hint="Try again.")
        return stored.credential.to_openssh(passphrase).reveal()
    text = context.wallet.text(context.device_key_name)
    if text is None or context.key_reader.read(text.reveal(), stored.source).public_key != stored.credential.public_key:
        raise StoreError("Another command changed this device's key meanwhile.", hint="Try again.", code="store_busy")
    return kept_form(stored.credential, text).reveal()


def _write(context: Context, options: ExportOptions, text: str) -> None:
    from ollama_cli.terminal.new_file import write_file
    from ollama_cli.terminal.sanitize import clean_line

    if options.file is None:
        context.streams.write(text)
        return
    mode = _PUBLIC_MODE if options.public else _PRIVATE_MODE
    write_file(options.file, text, mode=mode, replace=options.force)
    half = "public" if options.public else "private"
    context.streams.say(clean_line(f"This device's {half} key is in {options.file}."))


def _note_if_shared(context: Context, stored: StoredKey) -> None:
    """Note where the installed Ollama has got this key, so that a later sign-out can warn that it ends both."""
    from ollama_cli.credentials.ollama_key import is_ollama_key

    if context.options.sandbox or stored.shared_with_ollama:
        return
    if is_ollama_key(context.settings.user_home, stored.credential.public_key):
        context.wallet.note_shared(context.device_key_name, stored.credential.public_key)
        context.streams.say("It is the installed Ollama's key now: both are one device. Restart Ollama if it runs.")

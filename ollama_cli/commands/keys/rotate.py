"""``keys rotate``: a new key for this device, and the old one off the account once the new one works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import KeysCommand
from ollama_cli.commands.keys.given import refuse_key_file
from ollama_cli.commands.keys.rotation_options import RotateOptions
from ollama_cli.commands.shared.approving import ApprovalOptions, DeviceName, NoBrowser, NoWait, Qr, Timeout
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.context import Context

_NAMED_ALREADY = "Leave it out. The key in the file is none of this machine's: make a new file with `ssh-keygen`."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rotate", cls=KeysCommand)(rotate)


def rotate(
    typer_context: typer.Context,
    no_browser: NoBrowser = False,
    qr: Qr = False,
    timeout: Timeout = None,
    no_wait: NoWait = False,
    name: DeviceName = None,
    passphrase: Annotated[
        bool | None,
        typer.Option(
            "--passphrase/--no-passphrase",
            show_default=False,
            help="Whether the new key gets a passphrase, which is asked for; by default, if the old one has one.",
        ),
    ] = None,
    sign_out_ollama: Annotated[
        bool | None,
        typer.Option(
            "--sign-out-ollama/--leave-ollama",
            show_default=False,
            help="What becomes of an old key that is the installed Ollama's too: off the account, or left to it.",
        ),
    ] = None,
    other_account: Annotated[
        bool, typer.Option("--other-account", help="Go over to another account, if that approves the new key.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Give up a rotation that is under way.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put a new key in the place of this device's key for ollama.com.

    Makes and stores the new key, prints the link on which you approve it, and has it sign a request; only then is the
    old key taken off your account and forgotten. Until then the old one stays in use. Cut off anywhere, the same
    command goes on. Ends with status 4 when the new key is not approved in the end.
    """
    approval = ApprovalOptions(not no_browser, qr, timeout, not no_wait, name)
    options = RotateOptions(approval, passphrase, sign_out_ollama, other_account, cancel, as_json)
    run(typer_context.obj, options)


def run(context: Context, options: RotateOptions) -> None:
    """Go on with a rotation from where it is, or begin one.

    Raises:
        SignInError: This device has no key or is not signed in, or nobody approved the new key.
        SafetyError: Another account approved it.
        UsageError: The options do not fit.
        StoreError: A store cannot be used.
        UnavailableError: The server could not be asked; where the new key has taken over, the old one remains.
    """
    from ollama_cli.api.place import cloud_place
    from ollama_cli.commands.keys.rotation_steps import RotationSteps

    refuse_key_file(context, hint=_NAMED_ALREADY)
    if options.cancel and options != RotateOptions(cancel=True, as_json=options.as_json):
        raise UsageError("--cancel gives a rotation up; nothing but --json goes with it.")
    context.require_profile()
    steps = RotationSteps(context, cloud_place(context.settings), options)
    if options.cancel:
        steps.cancel()
    else:
        steps.go_on()

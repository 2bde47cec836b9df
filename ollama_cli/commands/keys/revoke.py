"""``keys revoke``: take device keys off the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import KeysCommand
from ollama_cli.commands.keys.given import refuse_key_file
from ollama_cli.commands.keys.own import no_device_key
from ollama_cli.errors import DeclinedError, SignInError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_cli.account.revocation import Target
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import StoredKey


@dataclass(frozen=True)
class RevokeOptions:
    """What the command line of ``keys revoke`` says.

    Attributes:
        keys: How the keys are named; none is this device's own.
        yes: Whether it was agreed to beforehand.
        as_json: Whether to print JSON.
    """

    keys: tuple[str, ...] = ()
    yes: bool = False
    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("revoke", cls=KeysCommand)(revoke)


def revoke(
    typer_context: typer.Context,
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY]...", show_default=False, help="By default this device's own.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Take device keys off your account.

    This device's own is then forgotten here. KEY is a fingerprint (SHA256:…) of a key of this machine, or a public key
    line in quotes, a .pub file, or an encoded key, of any device of your account. This device's own key goes last, for
    its signature takes the others off. Asks first at a terminal; a script says --yes. Always acts at ollama.com, never
    through an Ollama server.
    """
    run(typer_context.obj, RevokeOptions(tuple(keys or ()), yes, as_json))


def run(context: Context, options: RevokeOptions) -> None:
    """Check every key that is named, ask, and take them off.

    Raises:
        SignInError: This device has no key that could sign the requests, or it is not signed in.
        UsageError: A text names no key; or nobody is there to agree, and ``--yes`` was not given.
        CliError: A key was not taken off; it is the first failure, where there are several.
    """
    from ollama_cli.api.place import cloud_place

    refuse_key_file(context)
    context.require_profile()
    place = cloud_place(context.settings)
    public_keys = _named(context, options.keys)
    stored = context.wallet.find(context.key_name(place))
    if stored is None:
        raise _without_key(context)
    from ollama_cli.account.revocation import in_order
    from ollama_cli.credentials.listing import LEFT

    own, record = stored.credential.public_key, context.wallet.rotation(context.key_name(place)).record
    ours = record is not None and record.role != LEFT
    targets = in_order(public_keys or [own], own, record.public_key if record and ours else None)
    if targets[-1].own:
        from ollama_cli.commands.shared.ollama_key import warn_of_shared_key

        warn_of_shared_key(context, stored)
    if not options.yes:
        _ask(context, targets)
    _revoke(context, place, stored, targets, as_json=options.as_json)


def _without_key(context: Context) -> SignInError:
    from ollama_cli.settings.hosts import KEYS_PAGE

    error = no_device_key(context, f"Run `ollama-cli signin` first, or take devices off at {KEYS_PAGE}")
    error.message = f"{error.message.removesuffix(' yet.').removesuffix('.')}; without one no key can be taken off."
    return error


def _named(context: Context, references: Sequence[str]) -> list[str]:
    from ollama_cli.credentials.key_reference import resolve

    known = [record.public_key for record in context.wallet.records()]
    return [resolve(reference, known) for reference in references]


def _ask(context: Context, targets: Sequence[Target]) -> None:
    """Have a person agree, in one question.

    Raises:
        UsageError: Nobody is there.
        DeclinedError: The answer is no.
    """
    from ollama_cli.terminal.prompts import confirm

    context.require_interactive("Revoking a key needs a yes.", "Say --yes to do it without a question.")
    signs_out = ", and sign this device out" if targets[-1].own else ""
    if len(targets) == 1:
        question = f"Revoke {targets[0].fingerprint}{signs_out}?"
    else:
        for target in targets:
            whose = "  (this device)" if target.own else "  (a rotation of this device)" if target.rotating else ""
            context.streams.say(f"{target.fingerprint}{whose}")
        question = f"Revoke these {len(targets)} keys{signs_out}?"
    if not confirm(context.streams, question, default=False):
        raise DeclinedError("Nothing was revoked.")


def _revoke(context: Context, place: Place, stored: StoredKey, targets: Sequence[Target], *, as_json: bool) -> None:
    from ollama_cli.account.revocation import revoke as revoke_each
    from ollama_cli.account.rotation import Ended
    from ollama_cli.account.signout import forget
    from ollama_cli.commands.keys.report import RevocationReport
    from ollama_cli.commands.shared.rotating import put_away_key, put_rotation_away, told
    from ollama_cli.commands.shared.still_active import tell_of_daemon, tell_what_stays_active

    client = context.client(place, stored)

    def forget_own() -> None:
        forget(context.wallet, context.key_name(place), stored.credential.public_key)

    def put_rotating_away() -> bool:
        record = context.wallet.rotation(context.key_name(place)).record
        ended = Ended.NOT_SIGNED_IN if record is None else put_away_key(context, place, record)
        if ended is Ended.LOST:
            raise StoreError(told(ended, "the key of a rotation"), code="stored_key_unusable")
        return ended is Ended.TAKEN_OFF

    report = RevocationReport(context.streams, targets, as_json=as_json)
    if targets[-1].own and not any(target.rotating for target in targets):
        put_rotation_away(context, place)  # one that is left to the installed Ollama
    with report:
        for result in revoke_each(client, targets, forget_own, put_rotating_away):
            report.add(result)
    if report.signed_out:
        tell_what_stays_active(context, place)
        tell_of_daemon(context)
    report.raise_first_failure()

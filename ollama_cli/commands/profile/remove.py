"""``profile remove``: forget a profile and all that it keeps; its device is taken off the account first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand
from ollama_cli.commands.profile.given import refuse_other_choices
from ollama_cli.errors import DeclinedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_cli.context import Context
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.secret_record import SecretRecord


@dataclass(frozen=True)
class RemoveOptions:
    """What the command line of ``profile remove`` says.

    Attributes:
        name: The profile.
        local_only: Whether to forget its keys without asking a server.
        yes: Whether it was agreed to beforehand.
        as_json: Whether to print JSON.
    """

    name: str
    local_only: bool = False
    yes: bool = False
    as_json: bool = False


class RemoveCommand(LocalCommand):
    """It takes devices off the account at ollama.com, whatever OLLAMA_HOST says."""

    at_ollama_com = True


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("remove", cls=RemoveCommand)(remove)


def remove(
    typer_context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PROFILE", show_default=False, help="A profile of `profile list`.")],
    local_only: Annotated[
        bool, typer.Option("--local-only", help="Forget its keys here without asking the server.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Forget a profile with all that it keeps.

    Its device is taken off the account first. When the server cannot be asked, nothing is forgotten and the status is
    7. Asks first at a terminal; a script says --yes. Where it was the current profile, `default` is afterwards.
    """
    run(typer_context.obj, RemoveOptions(name, local_only, yes, as_json))


def run(context: Context, options: RemoveOptions) -> None:
    """Sign the profile out, forget the rest of it, and say what became of each.

    Raises:
        UsageError: There is no such profile; or nobody is there to agree, and ``--yes`` was not given.
        CliError: The server could not be asked, or a store not be used.
    """
    from ollama_cli.settings.profile_name import DEFAULT_PROFILE, profile_name

    refuse_other_choices(context)
    name = profile_name(options.name, "PROFILE")
    if name == DEFAULT_PROFILE:
        raise UsageError(
            f"The profile {DEFAULT_PROFILE} is always there.", hint="`ollama-cli signout` forgets what it keeps."
        )
    context.options = context.options._replace(profile=name)
    listing = context.wallet.profiles.listing()
    if name not in listing.profiles:
        raise UsageError(
            f"There is no profile {name} on this machine.",
            hint="ollama-cli profile list shows those that there are.",
            code="no_such_profile",
        )
    kept = listing.kept_by(name)
    if not options.yes:
        _ask(context, name, kept)
    ends = []
    for outcome, text in _forget_all(context, kept, local_only=options.local_only):
        ends.append(outcome)
        if not options.as_json:
            context.streams.say(text)
    was_current = context.wallet.profiles.leave(name)
    if options.as_json:
        context.streams.answer(json.dumps({"profile": name, "removed": True, "outcomes": ends}))
    else:
        context.streams.say(f"The profile {name} is removed.")
    if was_current:
        context.streams.say(f"The current profile is {DEFAULT_PROFILE} now.")


def _ask(context: Context, name: str, kept: list[KeyRecord | SecretRecord]) -> None:
    """Have a person agree.

    Raises:
        UsageError: Nobody is there.
        DeclinedError: The answer is no.
    """
    from ollama_cli.terminal.prompts import confirm

    context.require_interactive("Removing a profile needs a yes.", "Say --yes to do it without a question.")
    origins = ", ".join(dict.fromkeys(record.origin for record in kept))
    what = f" with what it keeps for {origins}" if kept else ""
    if not confirm(context.streams, f"Remove the profile {name}{what}?", default=False):
        raise DeclinedError("Nothing was removed.")


def _forget_all(
    context: Context, kept: list[KeyRecord | SecretRecord], *, local_only: bool
) -> Iterator[tuple[dict[str, str], str]]:
    """Sign out at ollama.com and at what stands in for it, then forget the rest; what became of each."""
    from ollama_cli.api.place import Place, cloud_place
    from ollama_cli.commands.signout import sign_out
    from ollama_cli.credentials.chosen import is_cloud
    from ollama_cli.credentials.listing import KeyRecord

    clouds = dict.fromkeys(record.origin for record in kept if is_cloud(context.settings, record.origin))
    for origin in clouds:
        if not local_only:
            cloud_place(context.settings)  # says so where the cloud is not to be asked
        outcome, text = sign_out(context, Place("cloud", origin, authenticated=True), local_only=local_only)
        yield {"origin": origin, "outcome": outcome}, text
    for record in kept:
        if record.origin not in clouds or not (isinstance(record, KeyRecord) or record.is_api_key):
            outcome, text = _forget(context, record)
            yield {"origin": record.origin, "outcome": outcome}, text


def _forget(context: Context, record: KeyRecord | SecretRecord) -> tuple[str, str]:
    """Forget what no account at ollama.com knows of."""
    from ollama_cli.commands.shared.daemon_token import forget_token
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.public_key import fingerprint_of

    if isinstance(record, KeyRecord):
        context.wallet.forget(record.origin, record.public_key)
        fingerprint = fingerprint_of(record.public_key)
        return "forgotten", (f"The key {fingerprint} for {record.origin} is forgotten. That server may still know it.")
    if record.is_api_key:
        context.wallet.secrets.forget(record.origin, api_key=True)
        return "forgotten", f"The API key for {record.origin} is forgotten."
    return forget_token(context, record.origin)

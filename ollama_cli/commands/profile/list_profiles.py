"""``profile list``: the profiles of this machine, and what each keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import LocalCommand
from ollama_cli.commands.profile.given import refuse_other_choices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ollama_cli.context import Context
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.secret_record import SecretRecord

_HEADINGS = ("PROFILE", "CURRENT", "CREDENTIAL", "FOR", "STORE")


@dataclass(frozen=True)
class ListOptions:
    """What the command line of ``profile list`` says.

    Attributes:
        as_json: Whether to print JSON.
    """

    as_json: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list", cls=LocalCommand)(list_profiles)


def list_profiles(
    typer_context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the profiles of this machine, and what each keeps.

    Asks no server and opens no keyring.
    """
    run(typer_context.obj, ListOptions(as_json))


def run(context: Context, options: ListOptions) -> None:
    """Print the profiles, and say where another than the current one counts.

    Raises:
        StoreError: The list of what is stored cannot be read.
    """
    from ollama_cli.terminal.tables import show_table

    refuse_other_choices(context)
    listing = context.wallet.profiles.listing()
    kept = {name: [_facts(record) for record in listing.kept_by(name)] for name in listing.profiles}
    if options.as_json:
        profiles = [{"profile": name, "current": name == listing.current, "credentials": kept[name]} for name in kept]
        context.streams.answer(json.dumps(profiles))
    else:
        show_table(context.streams, _HEADINGS, list(_rows(kept, listing.current)), folds=True)
    named = context.settings.profile
    if named is not None and named != listing.current:
        context.streams.say(f"Note: OLLAMA_CLI_PROFILE has the profile {named} count.")


def _facts(record: KeyRecord | SecretRecord) -> dict[str, str | None]:
    from ollama_cli.credentials.key_facts import iso_time
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.public_key import fingerprint_of

    if isinstance(record, KeyRecord):
        scheme, fingerprint = None, fingerprint_of(record.public_key)
    else:
        scheme, fingerprint = None if record.is_api_key else record.kind, None
    return {
        "credential": record.in_words,
        "scheme": scheme,
        "origin": record.origin,
        "fingerprint": fingerprint,
        "store": record.store,
        "made": iso_time(record.created_at),
        "last_used": iso_time(record.last_used_at) if record.last_used_at is not None else None,
    }


def _rows(kept: Mapping[str, list[dict[str, str | None]]], current: str) -> Iterator[tuple[str, ...]]:
    for name, credentials in kept.items():
        marked = "yes" if name == current else "no"
        for each in credentials or [{"credential": "none"}]:
            yield (name, marked, *(each.get(column) or "" for column in ("credential", "origin", "store")))

"""``signin --api-key``: a profile acts with an API key, which is tried at ollama.com before it is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ollama_cli.commands.shared.secret_input import read_secret
from ollama_cli.errors import SignInError, StoreError, UsageError
from ollama_cli.secret import Secret
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.api.account import Account
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context


def with_kept_api_key(context: Context, place: Place, *, as_json: bool) -> None:
    """Say who is signed in with the API key that the profile keeps.

    Raises:
        SignInError: It is refused.
    """
    from ollama_cli.account.api_keys import account_of
    from ollama_cli.account.refusal import refusal

    stored = context.wallet.secrets.find(context.key_name(place), api_key=True)
    account, refused, taken = account_of(context.client(place, stored), stored)
    if stored is None or not taken:
        raise refusal(stored, None, refused)
    context.note_used(place, stored)
    _tell_signed_in(context, account, stored.source, as_json=as_json)
    _tell_what_counts_before(context, place)


def keep_api_key(context: Context, *, cloud: bool, browser: bool, as_json: bool) -> None:
    """Read an API key, have ollama.com say that it takes it, and keep it in the place of what the profile had.

    Args:
        context: What the command works with.
        cloud: Whether to go to ollama.com whatever OLLAMA_HOST says.
        browser: Whether a person may be asked to have the page opened on which keys are made.
        as_json: Whether to print JSON.

    Raises:
        UsageError: None was given; or the profile has a device key that is on an account.
        SignInError: It is refused; what was kept before is kept.
        StoreError: The store cannot be used.
    """
    from ollama_cli.account.api_keys import account_of
    from ollama_cli.api.place import account_place
    from ollama_cli.commands.shared.leaving_keyring import leave_unusable_keyring
    from ollama_cli.credentials.credential import Active, ApiKey
    from ollama_cli.credentials.secret_record import API_KEY

    place = account_place(context.settings, cloud=cloud)
    if place.kind == "daemon":
        raise UsageError(
            f"An API key is for ollama.com, and OLLAMA_HOST names {place.base_url}.",
            hint="Add --cloud; a token for that server is kept with --host URL --token.",
        )
    gives_way = _device_key_that_gives_way(context, place)
    text = _read_api_key(context, place, browser=browser)
    active = Active(ApiKey(text), "what was given")
    account, refused, taken = account_of(context.client(place, active), active)
    if not taken:
        raise _api_key_refused(place, refused)
    leave_unusable_keyring(context, place, "the API key is kept")
    record, left = context.wallet.secrets.put(context.key_name(place), API_KEY, text, in_place_of=gives_way)
    if gives_way is not None:
        context.streams.say("This profile's device key was on no account; the API key takes its place.")
    if left is not None:
        context.streams.say(f"Warning: what it replaces could not be deleted. {left.message}")
    _tell_signed_in(context, account, context.wallet.describe_store(record), as_json=as_json)
    _tell_what_counts_before(context, place)


def _device_key_that_gives_way(context: Context, place: Place) -> str | None:
    """The public key of the profile's device key, where the server says that it is on no account.

    Raises:
        UsageError: It is on one: it would stay there, and be lost here.
    """
    from ollama_cli.account.signout import is_on_an_account

    name = context.key_name(place)
    record = context.wallet.record(name)
    if record is None:
        return None
    try:
        stored = context.wallet.find(name)
    except StoreError as error:
        if context.options.insecure_storage and record.store == "keyring" and error.code != "stored_key_unusable":
            return None  # it stays in its keyring, unlisted; see `leave_unusable_keyring`
        raise
    if stored is not None and not is_on_an_account(context.client(place, stored)):
        return record.public_key
    told = "is signed in already, with a device key" if stored else "has a device key, which is gone from its store"
    raise UsageError(
        f"The profile {context.wallet.profile} {told}.",
        hint="`ollama-cli signout` first takes that key off the account and forgets it; or keep the API key in a "
        "profile of its own: ollama-cli --profile NAME signin --api-key",
        code="signed_in_already",
    )


def _read_api_key(context: Context, place: Place, *, browser: bool) -> Secret:
    page = f"{place.base_url}/settings/keys"
    streams = context.streams
    if streams.interactive:
        from ollama_cli.terminal.browser import open_in_browser
        from ollama_cli.terminal.prompts import confirm

        streams.say(f"API keys are made at {page}")
        if browser and confirm(streams, "Open that page in the browser?", default=False):
            open_in_browser(page)
    return Secret(read_secret(context, "API key: ", "an API key").reveal().strip())


def _api_key_refused(place: Place, refused: SignInError | None) -> SignInError:
    from ollama_cli.account.refusal import more_than_unauthorized

    said = more_than_unauthorized(refused)
    return SignInError(
        "The API key is refused, and not kept.",
        hint=f"{f'The server says: {said}' if said else ''}\nMake a new one at {place.base_url}/settings/keys".strip(),
        code="api_key_refused",
        http_status=401,
    )


def _tell_signed_in(context: Context, account: Account | None, store: str, *, as_json: bool) -> None:
    if as_json:
        who = {
            "account": account.name if account else None,
            "email": account.email if account else None,
            "plan": account.plan if account else None,
        }
        how = {"credential": "API key", "store": store, "profile": context.wallet.profile}
        context.streams.answer(json.dumps({"signed_in": True, **who, **how}))
        return
    from ollama_cli.commands.shared.still_active import in_profile

    who_in_words = f"Signed in as {account.name}" if account else "Signed in"
    context.streams.say(clean_line(f"{who_in_words}{in_profile(context)}, with an API key that is kept in {store}."))


def _tell_what_counts_before(context: Context, place: Place) -> None:
    from ollama_cli.commands.shared.still_active import tell_what_counts_before

    tell_what_counts_before(context, place, "the stored API key")

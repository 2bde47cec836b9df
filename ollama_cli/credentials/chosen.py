"""Which credential counts for an origin, first that is there: given by option, by environment, or stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_cli.credentials import given
from ollama_cli.credentials.index import FILE_NAME, CredentialIndex
from ollama_cli.credentials.key_reader import KeyReader
from ollama_cli.credentials.wallet import Wallet
from ollama_cli.errors import StoreError
from ollama_cli.settings.hosts import CLOUD_URL, is_loopback

if TYPE_CHECKING:
    from ollama_cli.credentials.credential import Active, StoredSecret
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.secret_record import SecretRecord
    from ollama_cli.credentials.store import CredentialStore
    from ollama_cli.settings import Settings


def open_wallet(
    settings: Settings,
    *,
    new_store: str = "keyring",
    profile: str | None = None,
    person_present: bool = False,
    tell_waiting: Callable[[], None] | None = None,
    tell_busy: Callable[[], None] = lambda: None,
    reader: KeyReader | None = None,
) -> Wallet:
    """What a profile of this machine keeps.

    Args:
        settings: Says where the index stands, and perhaps which profile counts (OLLAMA_CLI_PROFILE).
        new_store: The kind of store for a new key.
        profile: The profile that is named; None is the one of the settings, else the current one.
        person_present: Whether somebody could answer a question of the keyring's.
        tell_waiting: Called when a person waits for the keyring.
        tell_busy: Called when another command is waited for, which changes what is stored.
        reader: Reads the keys; without one an encrypted key is an error.

    Raises:
        StoreError: There is no home folder.
    """

    def open_store(kind: str) -> CredentialStore:
        if kind == "file":
            from ollama_cli.credentials.file_store import FileStore

            return FileStore(settings.data_dir / "keys")
        from ollama_cli.credentials.keyring_store import KeyringStore

        return KeyringStore(person_present=person_present, has_display=settings.has_display, tell_waiting=tell_waiting)

    index = CredentialIndex(settings.data_dir / FILE_NAME, tell_busy=tell_busy)
    return Wallet(index, open_store, new_store=new_store, profile=profile or settings.profile, reader=reader)


def given_for(
    settings: Settings,
    origin: str,
    key_file: Path | None = None,
    reader: KeyReader | None = None,
    *,
    profile: str | None = None,
) -> Active | None:
    """The credential that option or environment gives for an origin, or None.

    What the environment holds goes to ollama.com, or to the loopback address that stands in for it, and nowhere else;
    a key file was named for this very command, and goes where it goes. A profile that was named for this very command
    counts before the environment.

    Raises:
        UsageError: It is there and cannot be used.
    """
    if given_source(settings, origin, key_file, profile=profile) is None:
        return None
    reader = reader or KeyReader()
    return given.from_environment(settings, reader) if key_file is None else given.from_key_file(key_file, reader)


def given_source(
    settings: Settings, origin: str, key_file: Path | None = None, *, profile: str | None = None
) -> str | None:
    """What gives the credential for an origin, or None. The credential itself is not looked at."""
    if key_file is not None:
        return f"--key-file {key_file}"
    if profile is None and is_cloud(settings, origin):
        return given.named_in_environment(settings)
    return None


def is_cloud(settings: Settings, origin: str) -> bool:
    """Whether an origin is ollama.com's, or the loopback address that stands in for it."""
    return origin == CLOUD_URL or (origin == settings.cloud_url and is_loopback(origin))


def choose(settings: Settings, origin: str) -> Active | None:
    """The credential that a command without options would use for an origin, or None where there is none.

    Raises:
        UsageError: The environment's cannot be used.
        SignInError: OLLAMA_CLI_PROFILE names a profile that is not there.
        StoreError: The store of the kept one cannot be used.
    """
    return given_for(settings, origin) or stored_for(settings, origin, open_wallet(settings))


def stored_for(settings: Settings, origin: str, wallet: Wallet) -> Active | None:
    """What a wallet keeps for an origin, or None: an API key or a device key for ollama.com, else a token or a key.

    Raises:
        SignInError: OLLAMA_CLI_PROFILE names a profile that is not there.
        StoreError: The store cannot be used.
    """
    if is_cloud(settings, origin):
        if settings.profile is not None:
            wallet.profiles.require(settings.profile)
        return wallet.credential(origin)
    return wallet.secrets.find(origin, api_key=False) or wallet.find(origin)


def record_for(wallet: Wallet, name: str, *, in_cloud: bool) -> KeyRecord | SecretRecord | None:
    """What a wallet notes about the credential that it keeps under a name: API key or token, else device key.

    Raises:
        StoreError: The list cannot be read.
    """
    return wallet.secrets.record(name, api_key=in_cloud) or wallet.record(name)


def token_for(
    origin: str, open_wallet: Callable[[], Wallet], *, tell: Callable[[str], None] | None
) -> StoredSecret | None:
    """The token that is kept for a daemon's origin, or None.

    A daemon that asks for none is asked without one, also where there is no home folder or the list is damaged.

    Args:
        origin: The origin.
        open_wallet: Gives the wallet.
        tell: Told that no token could be looked for; None where that is an error.

    Raises:
        StoreError: The token cannot be had from its store; or could not be looked for.
    """
    try:
        wallet = open_wallet()
    except StoreError:  # there is no home to keep anything in
        if tell is None:
            raise
        return None
    try:
        record = wallet.secrets.record(origin, api_key=False)
    except StoreError as error:
        if tell is None:
            raise
        tell(f"Warning: {error.message} So no token for {origin} is looked for.")
        return None
    return wallet.secrets.find(origin, api_key=False) if record is not None else None

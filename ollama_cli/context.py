"""The composition root: makes what a command needs, when it is first asked for.

Nothing is imported or opened before that, so that a command pays only for what it uses. Every side effect (streams,
browser, questions, clock, stores, network) reaches a command through here, and a test can put another in its place.
"""

from __future__ import annotations

import io
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import StoredKey, StoredSecret, is_device_key
from ollama_cli.errors import ModelStoreError, StoreError, UsageError
from ollama_cli.settings import Host, Settings
from ollama_cli.settings.hosts import is_loopback
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_cli.account.signin import Waiting
    from ollama_cli.api.account import Account
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.known_models import KnownModels
    from ollama_cli.api.place import Place
    from ollama_cli.chat.archive import Archive
    from ollama_cli.credentials.credential import Active
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.credentials.key_reader import KeyReader
    from ollama_cli.credentials.listing import Record
    from ollama_cli.credentials.wallet import Wallet
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore
    from ollama_cli.sandbox.server import EmbeddedSandbox
    from ollama_cli.transport.auth import CredentialAuth
    from ollama_cli.transport.early import EarlyConnection

LONGEST_DEVICE_NAME = 64
"""Characters of a device's name: as many as Linux allows a host name; a longer one only makes the link unwieldy."""

_SANDBOX_KEY = "sandbox"
"""Under this name the sandbox's own key is kept, for its port changes."""


@dataclass(frozen=True)
class GlobalOptions:
    """The options that stand before the subcommand."""

    key_file: Path | None = None
    insecure_storage: bool = False
    sandbox: bool = False
    debug: bool = False
    profile: str | None = None


@dataclass
class Context:
    """What a command works with.

    Attributes:
        given_settings: The environment, before ``--sandbox`` takes its place.
        options: The global options.
        streams: Standard input, output and error.
    """

    given_settings: Settings
    options: GlobalOptions
    streams: Streams
    _resources: ExitStack = field(default_factory=ExitStack)
    _embedded: EmbeddedSandbox | None = None

    def unattended(self) -> Context:
        """The same, as if nobody were there: neither we nor the keyring ask anything, nor wait long for an answer."""
        alone = replace(self, streams=replace(self.streams, input=io.StringIO()))
        vars(alone)["settings"] = self.settings  # a sandbox that was started for them stays the same
        return alone

    def close(self) -> None:
        """Close what was opened: connections, and a sandbox that this command started."""
        self._resources.close()

    @cached_property
    def settings(self) -> Settings:
        """The environment; with ``--sandbox``, the sandbox in the place of every host and credential in it."""
        if not self.options.sandbox:
            return self.given_settings
        return replace(
            self.given_settings,
            host=Host.parse("ollama.com"),
            cloud_url=self._sandbox_url(),
            api_key=None,
            device_key=None,
            api_key_file=None,
            device_key_file=None,
            profile=None,
            sign_for_host=False,
            no_cloud=None,
        )

    def _sandbox_url(self) -> str:
        from ollama_cli.sandbox.discovery import running

        url = running(self.sandbox_dir)
        if url is None:
            from ollama_cli.sandbox.server import EmbeddedSandbox

            self._embedded = self._resources.enter_context(EmbeddedSandbox(self.sandbox_dir))
            url = self._embedded.url
        return url

    @property
    def sandbox_dir(self) -> Path:
        """Where the sandbox keeps its account, its devices and its own key."""
        return self.given_settings.data_dir / "sandbox"

    @cached_property
    def archive(self) -> Archive:
        """The chats that are kept; with ``--sandbox``, those that were held with it."""
        from ollama_cli.chat.archive import Archive

        folder = self.sandbox_dir if self.options.sandbox else self.given_settings.data_dir
        return Archive(folder / "chats.sqlite3")

    @cached_property
    def known_models(self) -> KnownModels:
        """What is remembered of which models servers have, for completion; with ``--sandbox``, nothing."""
        from ollama_cli.api.known_models import KnownModels

        return KnownModels.of(None if self.options.sandbox else self.given_settings)

    @cached_property
    def wallet(self) -> Wallet:
        """What the profile that counts keeps on this machine; with ``--sandbox``, the sandbox's own."""
        from ollama_cli.credentials.chosen import open_wallet

        settings, new_store = self.given_settings, "file" if self.options.insecure_storage else "keyring"
        if self.options.sandbox:
            settings, new_store = replace(settings, home_override=self.sandbox_dir), "file"
        return open_wallet(
            settings,
            new_store=new_store,
            profile=self.named_profile,
            person_present=self.streams.interactive,
            reader=self.key_reader,
            tell_waiting=lambda: self.streams.say("Waiting for the keyring. It may be asking for its password."),
            tell_busy=self._tell_busy,
        )

    @property
    def named_profile(self) -> str | None:
        """The profile that ``--profile`` names for this very command; the sandbox has none."""
        return None if self.options.sandbox else self.options.profile

    def require_profile(self) -> None:
        """Make sure that a profile which is named, for this command or in the environment, is there.

        Raises:
            SignInError: It is not.
        """
        name = self.named_profile or self.given_settings.profile
        if name is not None and not self.options.sandbox:
            self.wallet.profiles.require(name)

    def _tell_busy(self) -> None:
        if self.streams.err.isatty():
            self.streams.say("Waiting for another ollama-cli, which changes the stored credentials.")

    @cached_property
    def key_reader(self) -> KeyReader:
        """Reads private keys, and asks for a passphrase where somebody is there."""
        from ollama_cli.credentials.key_reader import KeyReader
        from ollama_cli.terminal.prompts import ask_hidden

        return KeyReader(partial(ask_hidden, self.streams) if self.streams.interactive else None)

    def key_name(self, place: Place) -> str:
        """The name under which the wallet keeps the key for a place: its origin."""
        return _SANDBOX_KEY if self.options.sandbox else place.origin

    @property
    def device_key_name(self) -> str:
        """The name under which the wallet keeps this device's key for ollama.com, or for what stands in for it."""
        return _SANDBOX_KEY if self.options.sandbox else self.settings.cloud_url

    @property
    def device_record(self) -> Record | None:
        """What is known about this device's key for ollama.com, or for what stands in for it; no server is asked."""
        return self.wallet.record(self.device_key_name)

    def given_credential(self, place: Place) -> Active | None:
        """The credential that option or environment gives for a place, or None."""
        from ollama_cli.credentials.chosen import given_for

        if self.options.sandbox:
            return None
        return given_for(
            self.settings, place.origin, self.options.key_file, self.key_reader, profile=self.named_profile
        )

    def given_source(self, place: Place, *, whatever_profile: bool = False) -> str | None:
        """What gives the credential for a place, such as a variable's name, without looking at the credential.

        Args:
            place: The server.
            whatever_profile: Whether to leave aside that ``--profile`` counts before the environment.
        """
        from ollama_cli.credentials.chosen import given_source

        if self.options.sandbox:
            return None
        profile = None if whatever_profile else self.named_profile
        return given_source(self.settings, place.origin, self.options.key_file, profile=profile)

    def credential(self, place: Place) -> Active | None:
        """The credential that counts for ollama.com, or for what stands in for it, or None; never a new one."""
        return self.given_credential(place) or self._stored(place)

    def cloud_credential(self, place: Place) -> Active:
        """The credential for a model's request to ollama.com.

        Without any, a key is made now: the link that the refused request leads to is this key's.
        """
        return self.credential(place) or self.wallet.ensure(self.key_name(place))

    def _stored(self, place: Place) -> StoredKey | StoredSecret | None:
        self.require_profile()
        return self.wallet.credential(self.key_name(place))

    def daemon_credential(self, place: Place) -> Active | None:
        """What requests to a daemon carry: nothing, unless a token is kept for it, or OLLAMA_AUTH asks for a signature.

        A token comes first, for who has stored it knows that the daemon asks for it; the signature is by a key of its
        own. Where nothing can be kept here, nothing is.
        """
        return self.found_credential(place) or (
            self.wallet.ensure(self.key_name(place)) if place.authenticated else None
        )

    def found_credential(self, place: Place) -> Active | None:
        """What requests to a place carry, as far as it is there: no key is made for it."""
        if place.kind == "cloud":
            return self.credential(place)
        if self.options.key_file is not None and not self.options.sandbox:
            return self.given_credential(place)
        if self.named_profile is not None or place.authenticated:
            self.require_profile()
        return self._token(place) or (self.wallet.find(self.key_name(place)) if place.authenticated else None)

    def _token(self, place: Place) -> StoredSecret | None:
        from ollama_cli.credentials.chosen import token_for

        needed = self.named_profile is not None or place.authenticated
        return token_for(place.origin, lambda: self.wallet, tell=None if needed else self._say_cleaned)

    def connect_early(self, place: Place) -> EarlyConnection | None:
        """Begin to connect to a place that will be asked for sure; None where that saves nothing."""
        from ollama_cli.transport.early import connect_early

        early = connect_early(place.base_url)
        if early is not None:
            self._resources.callback(early.close)
        return early

    def client(
        self,
        place: Place,
        active: Active | None,
        *,
        total_seconds: float | None = None,
        silent: bool = False,
        one_shot: bool = False,
        early: EarlyConnection | None = None,
    ) -> OllamaClient:
        """A client for a place; the connections are closed with the context.

        Args:
            place: The server.
            active: Its credential, or None to ask without one.
            total_seconds: The time for all that it is asked, from now on; None is no limit.
            silent: Whether nothing is told on the way, as while a person is typing.
            one_shot: Whether it is asked one thing after the other, for which a client is ready sooner.
            early: The connection that such a client begins with, where ``connect_early`` has given one.
        """
        from ollama_cli import __version__
        from ollama_cli.api.client import OllamaClient
        from ollama_cli.api.exchange import Exchange
        from ollama_cli.transport.client import open_client
        from ollama_cli.transport.limits import Deadline
        from ollama_cli.transport.retries import Retries

        auth = None if active is None else self.authentication(place, active, silent=silent)
        observe = self._say_cleaned if self.options.debug and not silent else None
        deadline = Deadline(total_seconds)
        http = open_client(
            place.base_url,
            auth,
            user_agent=f"ollama-cli/{__version__}",
            observe=observe,
            deadline=deadline,
            one_shot=one_shot,
            early=early,
        )
        tell = self._say_cleaned if self.streams.err.isatty() and not silent else None
        retries = Retries(on_this_machine=is_loopback(place.base_url), tell=tell)
        exchange = Exchange(http, retries=retries, deadline=deadline)
        self._resources.callback(exchange.close)
        return OllamaClient(exchange)

    def authentication(self, place: Place, active: Active, *, silent: bool = False) -> CredentialAuth:
        """What puts a credential on requests to a place.

        Args:
            place: The server.
            active: The credential.
            silent: Whether nothing is told of a clock that differs.
        """
        from ollama_cli.transport.auth import CredentialAuth
        from ollama_cli.transport.clock import Clock

        clock = Clock(on_mend=(lambda _: None) if silent else self._tell_clock)
        return CredentialAuth(active.credential, place.origin, place.base_path, clock=clock)

    def registry(self, base_url: str, key: Callable[[], DeviceKey], *, insecure: bool) -> Registry:
        """A registry; its connections are closed with the context.

        Args:
            base_url: Where it is.
            key: Gives the key that signs for it, once it wants a signature.
            insecure: Whether it may lead to servers without TLS.
        """
        from ollama_cli import __version__
        from ollama_cli.registry.registry import Registry
        from ollama_cli.transport.clock import Clock

        observe = self._say_cleaned if self.options.debug else None
        agent = f"ollama-cli/{__version__}"
        clock = Clock(on_mend=self._tell_clock)
        registry = Registry(base_url, key, clock, user_agent=agent, insecure=insecure, observe=observe)
        self._resources.callback(registry.close)
        return registry

    @property
    def model_store(self) -> ModelStore:
        """The folder of models that a daemon of this user reads; with ``--sandbox``, one of the sandbox's own.

        Raises:
            ModelStoreError: There is no home folder to look for it in.
        """
        from ollama_cli.registry.store import ModelStore

        if self.options.sandbox:
            return ModelStore(self.sandbox_dir / "models")
        if self.settings.models_dir is not None:
            return ModelStore(self.settings.models_dir)
        if self.settings.user_home is None:
            raise ModelStoreError("There is no home folder to look for models in.", hint="Name one with OLLAMA_MODELS.")
        return ModelStore(self.settings.user_home / ".ollama" / "models")

    def _say_cleaned(self, line: str) -> None:
        self.streams.say(clean_line(line))

    def _tell_clock(self, seconds: int) -> None:
        direction = "behind" if seconds > 0 else "ahead of"
        self.streams.say(
            f"Note: this machine's clock is {abs(seconds)} seconds {direction} the server's; the request was signed "
            "again with the server's time. Set the clock right."
        )

    def sign_in(self, place: Place, waiting: Waiting, *, name: str | None = None) -> tuple[Account, StoredKey]:
        """Sign this device in at ollama.com, or at what stands in for it, with its stored key.

        The key is made and stored before its link is shown, so that a second try shows the same link.

        Args:
            place: The cloud.
            waiting: How to wait for the approval.
            name: What to call the device; None is the host name.

        Returns:
            The account, and the key.

        Raises:
            SignInError: Nobody approved it in time, or its key was forgotten meanwhile.
        """
        stored = self.wallet.ensure(self.key_name(place))
        account = self.approval(place, stored, waiting, name=name)
        self.note_signed_in(place, stored)
        return account, stored

    def approval(self, place: Place, stored: StoredKey, waiting: Waiting, *, name: str | None = None) -> Account:
        """The account that a stored key is on; a person is waited for who puts it there. See ``sign_in``."""
        from ollama_cli.account.refusal import was_taken_off
        from ollama_cli.account.signin import wait_for_approval
        from ollama_cli.terminal.browser import open_in_browser

        client = self.client(place, stored)
        account, refused = client.account()
        if was_taken_off(stored, refused):
            self.streams.say("This device was taken off your account.")
        if account is None and self._embedded is not None:
            self._embedded.approve(stored.credential.public_key, name or self.device_name)
            self.streams.say(f"The sandbox approves {waiting.subject} by itself; ollama.com would ask you on its page.")
            account, _ = client.account()
        if account is None:
            link = self.connect_link(place, stored.credential, name)
            self.streams.say(f"{waiting.key_label}: {stored.credential.fingerprint}")
            waiting = replace(waiting, still_wanted=partial(self._still_kept, place, stored))
            account = wait_for_approval(client, self.streams, link, waiting, open_in_browser)
        return account

    def _still_kept(self, place: Place, stored: StoredKey) -> None:
        """Find out whether another command has forgotten a key while its approval is waited for.

        Raises:
            SignInError: It has.
        """
        from ollama_cli.account.refusal import key_forgotten

        with suppress(StoreError):  # that the list cannot be read now does not say that the key is gone
            if not self.wallet.lists(self.key_name(place), stored.credential.public_key):
                raise key_forgotten(stored.credential.fingerprint)

    def note_signed_in(self, place: Place, active: Active | None) -> None:
        """Remember that a key of ours was seen on an account, so that it can be told when it is taken off there.

        A list that cannot be written is no reason to fail: the work is done.
        """
        self.note_used(place, active, signed_in=True)

    def note_used(self, place: Place, active: Active | None, *, signed_in: bool = False) -> None:
        """Remember that a credential of ours was taken, to about a day, where that costs no waiting."""
        with suppress(StoreError):
            if isinstance(active, StoredKey):
                self.wallet.note_used(self.key_name(place), active, signed_in=signed_in)
            elif isinstance(active, StoredSecret):
                self.wallet.secrets.note_used(active.record)

    @property
    def device_name(self) -> str:
        """What an account's page calls this machine: its host name, as long as a host name usually is."""
        import socket

        return socket.gethostname()[:LONGEST_DEVICE_NAME] or "device"

    def connect_link(self, place: Place, key: DeviceKey, name: str | None = None) -> str:
        """The link that puts a key on an account, with the device's name."""
        from ollama_cli.signing.connect_link import signin_url

        return signin_url(name or self.device_name, key.public_key, base_url=place.base_url)

    def link_for(self, place: Place, active: Active | None) -> str | None:
        """The link that puts a credential on an account, where it is a device key."""
        if active is None or not is_device_key(active.credential):
            return None
        return self.connect_link(place, active.credential)

    @property
    def approves_itself(self) -> bool:
        """Whether this command runs a sandbox of its own, in which sign-in needs nobody."""
        return self._embedded is not None

    def require_interactive(self, what: str, instead: str) -> None:
        """Refuse to ask where nobody is there to answer.

        Raises:
            UsageError: stdin or stderr is no terminal.
        """
        if not self.streams.interactive:
            raise UsageError(what, hint=instead)

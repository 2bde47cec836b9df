"""As whom a command acts: which credential counts for a server, of those that are given and those that are kept."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ollama_cli.context.surroundings import Surroundings

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active, StoredKey, StoredSecret
    from ollama_cli.credentials.listing import KeyRecord
    from ollama_cli.credentials.wallet import Wallet

_SANDBOX_KEY = "sandbox"
"""Under this name the sandbox's own key is kept, for its port changes."""


class Identity(Surroundings):
    """The credentials of a command."""

    @cached_property
    def wallet(self) -> Wallet:
        """What the profile that counts keeps on this machine; with ``--sandbox``, the sandbox's own."""
        from ollama_cli.credentials.chosen import open_wallet

        settings, new_store = self.given_settings, "file" if self.options.insecure_storage else "keyring"
        if self.options.sandbox:
            settings, new_store = settings._replace(home_override=self.sandbox_dir), "file"
        return open_wallet(
            settings,
            new_store=new_store,
            profile=self.named_profile,
            person_present=self.streams.interactive,
            reader=self.key_reader,
            tell_waiting=lambda: self.streams.say("Waiting for the keyring. It may be asking for its password."),
            tell_busy=self._tell_busy,
        )

    def require_profile(self) -> None:
        """Make sure that a profile which is named, for this command or in the environment, is there.

        Raises:
            SignInError: It is not.
        """
        name = self.named_profile or self.given_settings.profile
        if name is not None and not self.options.sandbox:
            self.wallet.profiles.require(name)

    def to_be_typed(self, text: str, *, at_ollama_com: bool = False) -> str:
        """A text whose commands act where this one does: in its profile or in the sandbox.

        Args:
            text: With commands in backticks.
            at_ollama_com: Whether this one acts there whatever OLLAMA_HOST says, so that commands about the account
                have to as well.
        """
        from ollama_cli.terminal.errors import in_cloud, in_profile, in_sandbox

        if at_ollama_com and self.settings.names_daemon:
            text = in_cloud(text)
        if self.options.sandbox:
            return in_sandbox(text)
        return text if self.named_profile is None else in_profile(text, self.named_profile)

    def _tell_busy(self) -> None:
        if self.streams.err.isatty():
            self.streams.say("Waiting for another ollama-cli, which changes the stored credentials.")

    def key_name(self, place: Place) -> str:
        """The name under which the wallet keeps the key for a place: its origin."""
        return _SANDBOX_KEY if self.options.sandbox else place.origin

    @property
    def device_key_name(self) -> str:
        """The name under which the wallet keeps this device's key for ollama.com, or for what stands in for it."""
        return _SANDBOX_KEY if self.options.sandbox else self.settings.cloud_url

    @property
    def device_record(self) -> KeyRecord | None:
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
        return self.credential(place) or self.ensured_key(place)

    def ensured_key(self, place: Place) -> StoredKey:
        """This device's key for a place, made and stored now if there is none.

        Where one was there and its store has lost it, that is told: it can no longer take itself off an account.
        """
        name = self.key_name(place)
        before, stored = self.wallet.record(name), self.wallet.ensure(name)
        if before is not None and not self.wallet.lists(name, before.public_key):
            from ollama_cli.credentials.public_key import fingerprint_of
            from ollama_cli.settings.hosts import KEYS_PAGE

            lost = f"The key {fingerprint_of(before.public_key)} is no longer in its store; another takes its place"
            if place.kind == "cloud":
                self.streams.say(f"{lost}. If the old one is on your account, take it off at {KEYS_PAGE}")
            else:
                self.streams.say(f"{lost}. That server may still know the old one.")
        return stored

    def _stored(self, place: Place) -> StoredKey | StoredSecret | None:
        self.require_profile()
        return self.wallet.credential(self.key_name(place))

    def daemon_credential(self, place: Place) -> Active | None:
        """What requests to a daemon carry: nothing, unless a token is kept for it, or OLLAMA_AUTH asks for a signature.

        A token comes first, for who has stored it knows that the daemon asks for it; the signature is by a key of its
        own. Where nothing can be kept here, nothing is.
        """
        return self.found_credential(place) or (self.ensured_key(place) if place.authenticated else None)

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

"""How this device signs in, and what is remembered of it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ollama_cli.context.servers import Servers
from ollama_cli.credentials.credential import StoredKey, StoredSecret, is_device_key
from ollama_cli.errors import StoreError

if TYPE_CHECKING:
    from ollama_cli.account.signin import Waiting
    from ollama_cli.api.account import Account
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.credentials.device_key import DeviceKey

LONGEST_DEVICE_NAME = 64
"""Characters of a device's name: as many as Linux allows a host name; a longer one only makes the link unwieldy."""


class Context(Servers):
    """What a command works with: all of the above, and signing in."""

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
        stored = self.ensured_key(place)
        account = self.approval(place, stored, waiting, name=name)
        self.note_signed_in(place, stored)
        return account, stored

    def approval(self, place: Place, stored: StoredKey, waiting: Waiting, *, name: str | None = None) -> Account:
        """The account that a stored key is on; a person is waited for who puts it there. See ``sign_in``."""
        from dataclasses import replace

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

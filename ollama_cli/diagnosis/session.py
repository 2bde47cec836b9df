"""What the checks are given: the parts of a command's context that neither ask a person nor make anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.credentials.wallet import Wallet
    from ollama_cli.settings import Settings


class Options(Protocol):
    """The global options that the checks heed."""

    @property
    def debug(self) -> bool:
        """Whether requests are told."""


class Session(Protocol):
    """As whom a command acts, and how it reaches a server; ``Context`` is one."""

    @property
    def settings(self) -> Settings:
        """The environment."""

    @property
    def options(self) -> Options:
        """The global options."""

    @property
    def wallet(self) -> Wallet:
        """The keys that this machine keeps."""

    def key_name(self, place: Place) -> str:
        """The name under which the wallet keeps the key for a place."""

    def given_source(self, place: Place) -> str | None:
        """What gives the credential for a place, or None; it is not looked at."""

    def found_credential(self, place: Place) -> Active | None:
        """What requests to a place carry, as far as it is there."""

    def link_for(self, place: Place, active: Active | None) -> str | None:
        """The link that puts a credential on an account, where it is a device key."""

    def client(
        self, place: Place, active: Active | None, *, total_seconds: float | None = None, silent: bool = False
    ) -> OllamaClient:
        """A client for a place."""

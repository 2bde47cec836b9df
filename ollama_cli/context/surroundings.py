"""Where a command is: its options and streams, the environment or the sandbox in its place, and what is kept here."""

from __future__ import annotations

import io
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from ollama_cli.errors import ModelStoreError, UsageError
from ollama_cli.settings import Host, Settings
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams

if TYPE_CHECKING:
    from ollama_cli.api.known_models import KnownModels
    from ollama_cli.chat.kept.archive import Archive
    from ollama_cli.credentials.key_reader import KeyReader
    from ollama_cli.registry.store import ModelStore
    from ollama_cli.sandbox.server import EmbeddedSandbox


class GlobalOptions(NamedTuple):
    """The options that stand before the subcommand. Without any, they are these."""

    key_file: Path | None = None
    insecure_storage: bool = False
    sandbox: bool = False
    debug: bool = False
    profile: str | None = None
    no_color: bool = False


class Surroundings:
    """What a command is started with, and finds.

    Attributes:
        given_settings: The environment, before ``--sandbox`` takes its place.
        options: The global options.
        streams: Standard input, output and error.
    """

    def __init__(self, given_settings: Settings, options: GlobalOptions, streams: Streams) -> None:
        self.given_settings = given_settings
        self.options = options
        self.streams = streams
        self._resources = ExitStack()
        self._embedded: EmbeddedSandbox | None = None

    def unattended(self) -> Self:
        """The same, as if nobody were there: neither we nor the keyring ask anything, nor wait long for an answer."""
        alone = type(self)(self.given_settings, self.options, self.streams._replace(input=io.StringIO()))
        # What was opened for the one is closed with it; a sandbox that was started for it is the other's too.
        vars(alone).update(settings=self.settings, _resources=self._resources, _embedded=self._embedded)
        return alone

    def close(self) -> None:
        """Close what was opened: connections, and a sandbox that this command started."""
        self._resources.close()

    @cached_property
    def settings(self) -> Settings:
        """The environment; with ``--sandbox``, the sandbox in the place of every host and credential in it."""
        if not self.options.sandbox:
            return self.given_settings
        return self.given_settings._replace(
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

    @property
    def approves_itself(self) -> bool:
        """Whether this command runs a sandbox of its own, in which sign-in needs nobody."""
        return self._embedded is not None

    @cached_property
    def archive(self) -> Archive:
        """The chats that are kept; with ``--sandbox``, those that were held with it."""
        from ollama_cli.chat.kept.archive import Archive

        folder = self.sandbox_dir if self.options.sandbox else self.given_settings.data_dir
        return Archive(folder / "chats.sqlite3")

    @cached_property
    def known_models(self) -> KnownModels:
        """What is remembered of which models servers have, for completion; with ``--sandbox``, nothing."""
        from ollama_cli.api.known_models import KnownModels

        return KnownModels.of(None if self.options.sandbox else self.given_settings)

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

    @property
    def named_profile(self) -> str | None:
        """The profile that ``--profile`` names for this very command; the sandbox has none."""
        return None if self.options.sandbox else self.options.profile

    @cached_property
    def key_reader(self) -> KeyReader:
        """Reads private keys, and asks for a passphrase where somebody is there."""
        from ollama_cli.credentials.key_reader import KeyReader

        if not self.streams.interactive:
            return KeyReader()
        from ollama_cli.terminal.prompts import ask_hidden

        return KeyReader(partial(ask_hidden, self.streams))

    def require_interactive(self, what: str, instead: str) -> None:
        """Refuse to ask where nobody is there to answer.

        Raises:
            UsageError: stdin or stderr is no terminal.
        """
        if not self.streams.interactive:
            raise UsageError(what, hint=instead)

    def _say_cleaned(self, line: str) -> None:
        self.streams.say(clean_line(line))

"""``pull`` and ``push`` without a daemon: when that way is taken, with which key, and what a refusal means then."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ollama_cli.api.work_failures import DENIED
from ollama_cli.errors import CliError, ForbiddenError, SignInError, UnavailableError, UsageError

if TYPE_CHECKING:
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.api.place import Place
    from ollama_cli.api.work_steps import WorkStep
    from ollama_cli.commands.models.transferring import TransferOptions
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Active
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore

Transfer: TypeAlias = "Callable[[Registry, ModelStore], Generator[WorkStep]]"


def is_direct(context: Context, options: TransferOptions) -> bool:
    """Whether no daemon is asked at all: that is wanted, or ollama.com stands in a daemon's place.

    Raises:
        UsageError: An option is for this way only, and it is not the way that is taken.
    """
    from ollama_cli.api.place import general_place

    direct = options.direct or general_place(context.settings).kind == "cloud"
    if options.transfers is not None and not direct:
        raise UsageError(
            "--transfers is for the way without a server: a server decides by itself.", hint="Add --direct."
        )
    return direct


def require_no_daemon(context: Context, error: UnavailableError) -> None:
    """Go on without a daemon, where none is named and none answers.

    Raises:
        UnavailableError: One is named, or something else is wrong.
    """
    if error.code != "no_daemon" or context.settings.host is not None:
        raise error
    context.streams.say(f"Note: {error.message}")


def transfer_directly(
    context: Context, name: ModelName, options: TransferOptions, words: str, transfer: Transfer
) -> tuple[list[dict[str, Any]], str | None]:
    """Transfer a model between its registry and the store, and say that no server takes part.

    Args:
        context: What the command works with.
        name: The model.
        options: What the command line says.
        words: What is done, with places for ``registry`` and ``store``.
        transfer: Does it, and tells its steps; it is done a second time after a sign-in on the way.

    Returns:
        Digest and size of each layer; and the page on which the model can be seen, if there is one.

    Raises:
        SignInError: The registry wants a sign-in, or does not know this device.
        ForbiddenError: The account may not do it.
    """
    from ollama_cli.commands.models.transferring import follow
    from ollama_cli.terminal.sanitize import clean_line

    access, store = _Access(context, name, insecure=options.insecure), context.model_store
    context.streams.say(clean_line(words.format(registry=access.host, store=store.root)))

    def attempt() -> list[dict[str, Any]]:
        registry = context.registry(access.origin, access.key, insecure=options.insecure)
        with closing(registry), closing(transfer(registry, store)) as steps:
            return follow(context.streams, steps, options)

    try:
        try:
            layers = attempt()
        except SignInError as refused:
            access.sign_in(refused)
            layers = attempt()
    except CliError as refused:
        raise access.explained(refused) from refused
    access.note_signed_in()
    return layers, access.page


class _Access:
    """A registry as a command meets it.

    Args:
        context: What the command works with.
        name: The model whose registry it is.
        insecure: Whether it may be asked without TLS.

    Raises:
        UsageError: It may not be asked so, or not with ``--sandbox``.
    """

    def __init__(self, context: Context, name: ModelName, *, insecure: bool) -> None:
        from ollama_cli.api.registry_place import is_accounts, registry_url

        self._context = context
        self._name = name
        self.origin = registry_url(context.settings, name, insecure=insecure)
        self._is_accounts = is_accounts(context.settings, self.origin)
        self._used: Active | None = None
        if context.options.sandbox and not self._is_accounts:
            raise UsageError(
                f"With --sandbox no other registry than the sandbox's own is used, and {name.host} is another one.",
                hint="Leave the host out of the name.",
            )

    @property
    def host(self) -> str:
        """How people are told of it."""
        return self.origin.partition("://")[2]

    @property
    def page(self) -> str | None:
        """The page on which people see the model."""
        if not self._is_accounts:
            return None
        return f"{self._context.settings.cloud_url}/{self._name.repository}:{self._name.tag}".removesuffix(":latest")

    def key(self) -> DeviceKey:
        """The key that signs for it; made where there is none, so that a refusal can name its link.

        Raises:
            SignInError: The account has to be shown, and only an API key is there.
        """
        from ollama_cli.credentials.credential import is_device_key

        if self._used is None:
            self._used = self._account_key() if self._is_accounts else self._own_key()
        credential = self._used.credential
        assert is_device_key(credential)  # noqa: S101 - neither way gives another kind
        return credential

    def _account_key(self) -> Active:
        from ollama_cli.credentials.credential import StoredSecret, is_device_key

        context = self._context
        given = context.given_credential(self._cloud)
        if given is not None and is_device_key(given.credential):
            return given
        context.require_profile()
        stored = context.wallet.find(context.device_key_name)
        if stored is not None:
            return stored
        cannot_sign = given or context.wallet.credential(context.device_key_name)
        if cannot_sign is None:
            return context.ensured_key(self._cloud)
        kept = isinstance(cannot_sign, StoredSecret)
        raise SignInError(
            f"The registry wants a signature; an API key ({cannot_sign.source}) gives none: a device key is needed.",
            hint="Have one in another profile: `ollama-cli signin --profile NAME`, and then this with --profile NAME."
            if kept
            else "Run `ollama-cli signin`: it makes one, and puts this device on your account.",
            code="device_key_needed",
        )

    def _own_key(self) -> Active:
        """The key for a registry that is not the account's: one of its own, or the one given for the command."""
        from ollama_cli.credentials.given import from_key_file

        context = self._context
        if context.options.key_file is not None:
            return from_key_file(context.options.key_file, context.key_reader)
        context.require_profile()
        return context.wallet.ensure(self.origin)

    @cached_property
    def _cloud(self) -> Place:
        from ollama_cli.api.place import Place

        return Place("cloud", self._context.settings.cloud_url, authenticated=True)

    def sign_in(self, refused: SignInError) -> None:
        """Sign in, where the account's key was refused, and somebody is there.

        Raises:
            SignInError: It is another key, or nobody is there, or does not want to.
        """
        from ollama_cli.commands.shared.signin_when_refused import sign_in_or_raise

        no_cloud = self._context.settings.no_cloud
        if not self._is_accounts or no_cloud or self._used is None or refused.http_status is None:
            raise refused
        sign_in_or_raise(self._context, self._cloud, self._used, refused)
        self._used = None

    def note_signed_in(self) -> None:
        """Remember that the account's key was taken, where it was shown."""
        if self._is_accounts:
            self._context.note_signed_in(self._cloud, self._used)

    def explained(self, error: CliError) -> CliError:
        """An error, with the way out where the registry refused us."""
        if isinstance(error, ForbiddenError) and error.code == DENIED:
            error.message = f"The registry {self.host} does not let this device at {self._name}."
            if error.server_words:
                error.message = f"{error.message[:-1]}: {error.server_words}"
        elif isinstance(error, SignInError) and not self._is_accounts and self._used is not None:
            error.hint = f"If it lets in known keys only, have this one put on its list: {self.key().public_key}"
        return error

"""Why a registry refuses a daemon: the daemon is not signed in, or its account is not the one whose model it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_cli.api.model_name import DEFAULT_NAMESPACE, ModelName
from ollama_cli.api.model_ref import ModelRef
from ollama_cli.api.work_failures import DENIED
from ollama_cli.errors import CliError, ForbiddenError, SignInError

if TYPE_CHECKING:
    from ollama_cli.api.account import Account
    from ollama_cli.api.client import OllamaClient

_SECONDS_FOR_ACCOUNT = 30


def account_of_daemon(client: OllamaClient) -> Account | None:
    """The account that a daemon is signed in to; None where it cannot tell.

    Raises:
        SignInError: It is signed in to none.
        UnavailableError: The daemon does not answer at all.
    """
    try:
        account, refused = client.account(patience=_SECONDS_FOR_ACCOUNT)
    except CliError as error:
        if error.code == "connection_refused" or isinstance(error, SignInError):
            raise
        return None
    if account is None:
        raise refused or SignInError("Nobody is signed in.")
    return account


@contextmanager
def explaining_denial(
    client: OllamaClient, model: str, command: str, *, account: Account | None = None
) -> Iterator[None]:
    """Tell why a registry refuses the daemon, where it does.

    Args:
        client: The daemon's, for it is its own device key that is refused.
        model: The model, as it was asked for.
        command: ``pull`` or ``push``.
        account: The daemon's account, where it is known already.

    Raises:
        SignInError: The daemon is not signed in.
        ForbiddenError: Its account may not.
    """
    try:
        yield
    except ForbiddenError as refused:
        if refused.code != DENIED:
            raise
        name = ModelName.parse(ModelRef.parse(model).base)
        raise _explained(client, name, refused, command, account) from refused


def _explained(
    client: OllamaClient, name: ModelName, refused: ForbiddenError, command: str, account: Account | None
) -> ForbiddenError:
    if not name.at_ollama_com:
        return ForbiddenError(
            f"The registry at {name.host} does not let the Ollama server {command} {name}.",
            hint=f"The server shows it a device key of its own. It says: {refused.server_words}",
            code=refused.code,
        )
    account = account or account_of_daemon(client)
    if account is None or account.name.lower() == name.namespace.lower():
        return refused
    if command == "push":
        message, hint = _not_its_namespace(account.name, name)
    else:
        message = f"The account {account.name!r} has no access to {name}."
        hint = "A private model is loaded by its owner's devices, and the Ollama server is one of that account's."
    return ForbiddenError(message, hint=hint, code=refused.code)


def _not_its_namespace(account: str, name: ModelName) -> tuple[str, str | None]:
    if name.namespace == DEFAULT_NAMESPACE:
        message = f"{name} is in no account's namespace, so {account!r} may not push it."
    else:
        message = f"The Ollama server is signed in as {account!r}, who may not push to {name.namespace!r}."
    own = replace(name, namespace=account)
    if not own.is_valid:  # what a server calls an account need not be one
        return message, None
    return message, f"Give it a name of its own: `ollama-cli cp {name} {own}`, then `ollama-cli push {own}`."

"""API keys and the account: whether the server takes one, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import ApiKey

if TYPE_CHECKING:
    from ollama_cli.api.account import Account
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.credentials.credential import Active
    from ollama_cli.errors import SignInError


def account_of(client: OllamaClient, active: Active | None) -> tuple[Account | None, SignInError | None, bool]:
    """The account that a credential belongs to; or None, with the refusal. And whether the server takes the credential.

    That ``/api/me`` tells an API key's account is not documented. So where it refuses one, the key is tried where it is
    documented to be taken: a valid key is then no longer taken for a refused one, only its account is not known.
    """
    account, refused = client.account()
    taken = account is not None
    with_api_key = active is not None and isinstance(active.credential, ApiKey)
    if with_api_key and refused is not None and refused.told_by_api:
        taken = client.takes_api_key()
    return account, refused, taken

"""The way out of a refused request (401): it depends on the credential that was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import ApiKey, StoredKey
from ollama_cli.errors import SignInError

if TYPE_CHECKING:
    from ollama_cli.credentials.credential import Active
    from ollama_cli.errors import CliError

API_KEYS_PAGE = "https://ollama.com/settings/keys"
"""Where API keys are made and revoked."""


_BARE = frozenset({"", "unauthorized", "401 unauthorized"})


def more_than_unauthorized(refused: CliError | None) -> str:
    """What a server said to a refusal beyond the bare word, such as that a device was denied; or nothing."""
    words = refused.server_words if refused is not None else ""
    return "" if words.lower().rstrip(".") in _BARE else words


def refusal(active: Active | None, link: str | None = None) -> SignInError:
    """The error for a request that the server refused with 401, or would refuse.

    Args:
        active: The credential that was used, or None where there was none.
        link: The link that would sign its key in, where it is a device key.
    """
    if active is None:
        return SignInError("This device is not signed in.", hint="Run `ollama-cli signin`.", signin_url=link)
    if isinstance(active.credential, ApiKey):
        return SignInError(
            f"The API key from {active.source} is refused.",
            hint=f"Make a new one at {API_KEYS_PAGE}, or unset it and run `ollama-cli signin`.",
            code="api_key_refused",
        )
    if isinstance(active, StoredKey):
        return SignInError("This device is not signed in.", hint="Run `ollama-cli signin`.", signin_url=link)
    return SignInError(
        f"The key from {active.source} is not signed in.",
        hint="Open the link to put it on your account." if link else "`ollama-cli run` shows the link that does it.",
        signin_url=link,
    )

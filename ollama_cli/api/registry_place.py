"""Where a model's registry is, without a daemon in between, and which registries the account's key signs for."""

from __future__ import annotations

from ollama_cli.api.model_name import DEFAULT_HOST, ModelName
from ollama_cli.errors import SafetyError, UsageError
from ollama_cli.settings import Settings
from ollama_cli.settings.hosts import CLOUD_URL, origin_of

ACCOUNT_ORIGINS = frozenset({CLOUD_URL, f"https://{DEFAULT_HOST}"})
"""The registries that are ollama.com's; the account's key signs for these, and for nobody else."""

_ACCOUNT_HOSTS = frozenset({"ollama.com", DEFAULT_HOST})


def registry_url(settings: Settings, name: ModelName, *, insecure: bool) -> str:
    """The address of a model's registry: scheme, host and port.

    Where something stands in for ollama.com, it does so for ollama.com's registry too.

    Args:
        settings: Says what stands in.
        name: The model.
        insecure: Whether a registry may be asked without TLS, as the reference does it then; ollama.com's never is.

    Raises:
        UsageError: The name wants a registry without TLS, and that is not allowed; or names no registry.
        SafetyError: It wants ollama.com's without TLS.
    """
    if name.scheme not in {"http", "https"}:
        raise UsageError(f"{name.scheme!r} is no way to speak to a registry.", hint="Write https:// or nothing.")
    host, _, port = name.host.lower().partition(":")
    if host.rstrip(".") in _ACCOUNT_HOSTS:
        if name.scheme == "http" or port not in {"", "443"} or host.endswith("."):
            raise SafetyError(
                "ollama.com's registry is asked over TLS only, at its own name and port; nothing was sent.",
                hint=f"Write {host.rstrip('.')}, or nothing.",
            )
        return settings.cloud_url if settings.cloud_url != CLOUD_URL else f"https://{host}"
    if name.scheme == "http" and not insecure:
        raise UsageError(
            f"The registry {name.host} would be asked without TLS.", hint="If you want that, say --insecure."
        )
    url = f"{'http' if insecure else 'https'}://{name.host}"
    try:
        return origin_of(url)
    except ValueError as error:
        raise UsageError(f"{name.host!r} is no registry's address.", hint="Write it as HOST or HOST:PORT.") from error


def is_accounts(settings: Settings, origin: str) -> bool:
    """Whether the account's key signs for a registry: ollama.com's own, or what stands in for it."""
    return origin == settings.cloud_url or (settings.cloud_url == CLOUD_URL and origin in ACCOUNT_ORIGINS)

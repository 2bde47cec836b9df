"""ollama.com from Python: sign requests with a device key, and name hosts and models as Ollama does.

>>> import httpx, ollama_cli
>>> auth = ollama_cli.OllamaAuth()                       # the credential that `ollama-cli` would use
>>> client = httpx.Client(base_url="https://ollama.com", auth=auth)
>>> client.get("/api/tags").json()["models"]             # doctest: +SKIP

The names in ``__all__`` are the public API; everything else may change without notice.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would be imported for it; checkers know the name
if TYPE_CHECKING:
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.settings.hosts import parse_host
    from ollama_cli.signing.connect_link import signin_url
    from ollama_cli.transport.auth import OllamaAuth

__version__ = "0.1.0"

__all__ = ["DeviceKey", "ModelRef", "OllamaAuth", "__version__", "parse_host", "signin_url"]

_HOMES = {
    "DeviceKey": "ollama_cli.credentials.device_key",
    "ModelRef": "ollama_cli.api.model_ref",
    "OllamaAuth": "ollama_cli.transport.auth",
    "parse_host": "ollama_cli.settings.hosts",
    "signin_url": "ollama_cli.signing.connect_link",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that ``import ollama_cli`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)

"""Which proxy the environment names for a server: HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, and NO_PROXY against them."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ollama_cli.settings.hosts import is_loopback


def proxy_for(base_url: str) -> str | None:
    """The proxy for a server, or None. This machine is never reached through one.

    NO_PROXY holds names (which stand for the names below them too), addresses, either with a port if wanted, and
    ``*``. On macOS and Windows the system's settings are used where the environment has none.

    Args:
        base_url: Where the server is.
    """
    if is_loopback(base_url):
        return None
    parts = urlsplit(base_url)
    named = getproxies()
    proxy = named.get(parts.scheme) or named.get("all")
    name = parts.hostname or ""
    port = f":{parts.port}" if parts.port else f":{443 if parts.scheme == 'https' else 80}"
    spellings = [name, f"{name}{port}"] if ":" not in name else [name, f"[{name}]", f"[{name}]{port}"]
    if not proxy or any(proxy_bypass(spelling) for spelling in spellings):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def shown(proxy: str) -> str:
    """A proxy's host and port, without the user name and password that its address may hold."""
    return urlsplit(proxy).netloc.rpartition("@")[2]

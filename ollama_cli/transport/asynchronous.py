"""Clients for a server that many requests go to at one time, each of which is sent as it is given."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy

from ollama_cli.transport.client import settings_explained
from ollama_cli.transport.lean_httpx import httpx, load_httpcore
from ollama_cli.transport.proxies import proxy_for
from ollama_cli.transport.trust import trust_for

_SECONDS_TO_STAY = 15


def open_async_client(base_url: str, *, most_kept: int) -> httpx.AsyncClient:
    """A client for one server, without limits to how many requests it sends.

    Proxies and certificates are those of ``open_client``.

    Args:
        base_url: Scheme, host, port and base path.
        most_kept: How many connections that are not in use are kept.

    Raises:
        UsageError: A proxy setting or a named certificate cannot be used.
    """
    with settings_explained():
        load_httpcore()
        proxy = proxy_for(base_url)
        from ollama_cli.transport.asyncio_network import AsyncioBackend

        trust_in_proxy = trust_for(proxy) if proxy and proxy.startswith("https://") else None
        transport = httpx.AsyncHTTPTransport(
            verify=trust_for(base_url),
            trust_env=False,
            proxy=httpx.Proxy(proxy, ssl_context=trust_in_proxy) if proxy else None,
            limits=httpx.Limits(max_keepalive_connections=most_kept, keepalive_expiry=_SECONDS_TO_STAY),
        )
        transport._pool._network_backend = AsyncioBackend()  # noqa: SLF001 - httpx has no other way to name one
        none = CookieJar(DefaultCookiePolicy(allowed_domains=()))  # what a server sets for one is for no other
        return httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, cookies=none)

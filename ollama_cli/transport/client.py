"""Clients for one server: the right trust, proxies and time limits, and never a redirect with a credential."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError
from ollama_cli.transport.hiding import hide, sent_secrets
from ollama_cli.transport.lean_httpx import httpx, load_httpcore
from ollama_cli.transport.proxies import proxy_for

if TYPE_CHECKING:
    from ollama_cli.transport.auth import CredentialAuth
    from ollama_cli.transport.resolving import ResolvingBackend


def open_client(
    base_url: str,
    auth: CredentialAuth | None,
    *,
    user_agent: str,
    observe: Callable[[str], None] | None = None,
    backend: ResolvingBackend | None = None,
) -> httpx.Client:
    """A client for one server.

    The proxy and the certificates (SSL_CERT_FILE, the system's) are taken from the environment; this machine itself is
    never reached through a proxy.

    Args:
        base_url: Scheme, host, port and base path.
        auth: What authenticates its requests, or None.
        user_agent: How we name ourselves.
        observe: Told of every request and answer in a line that holds no credential.
        backend: What makes its connections, where that is not the usual one.

    Raises:
        UsageError: The address, a proxy setting or a named certificate cannot be used.
    """
    try:
        httpx.URL(base_url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UsageError(f"{base_url} is no address: {error}.", hint="Write it as http://HOST:PORT.") from error
    try:
        return _client(base_url, auth, user_agent, observe, backend)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used: {error.strerror or error}.",
            hint="Point it at a PEM file, or unset it.",
        ) from error
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise UsageError(
            "A proxy setting cannot be used: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY.",
            hint="A proxy is written as http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT.",
        ) from error


def _client(
    base_url: str,
    auth: CredentialAuth | None,
    user_agent: str,
    observe: Callable[[str], None] | None,
    backend: ResolvingBackend | None,
) -> httpx.Client:
    load_httpcore()
    from ollama_cli.transport.resolving import ResolvingBackend

    proxy = proxy_for(base_url)
    trust_in_proxy = _trust(proxy) if proxy and proxy.startswith("https://") else None
    transport = httpx.HTTPTransport(
        verify=_trust(base_url),
        trust_env=False,
        proxy=httpx.Proxy(proxy, ssl_context=trust_in_proxy) if proxy else None,
    )
    transport._pool._network_backend = backend or ResolvingBackend()  # noqa: SLF001 - httpx has no other way to name one
    return httpx.Client(
        base_url=base_url,
        auth=auth,
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity"},
        event_hooks=_told_to(observe) if observe else None,
    )


def _told_to(observe: Callable[[str], None]) -> dict[str, list[Callable[..., None]]]:
    def on_request(request: httpx.Request) -> None:
        observe(f"> {request.method} {request.url.copy_with(query=None)}")

    def on_response(response: httpx.Response) -> None:
        kind = hide(response.headers.get("Content-Type", ""), sent_secrets(response.request))
        observe(f"< {response.status_code} {kind}")

    return {"request": [on_request], "response": [on_response]}


def _trust(url: str) -> ssl.SSLContext:
    """What certificates are held to; for plain http a context that has loaded none, which saves its cost."""
    if not url.startswith("https://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    extra_file, extra_folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if extra_file or extra_folder:
        context.load_verify_locations(extra_file or None, extra_folder or None)
    return context

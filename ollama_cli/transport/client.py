"""Clients for one server: the right trust, proxies and time limits, and never a redirect with a credential."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError
from ollama_cli.transport.hiding import hide, sent_secrets
from ollama_cli.transport.lean_httpx import httpx, load_httpcore
from ollama_cli.transport.limits import Deadline
from ollama_cli.transport.proxies import proxy_for
from ollama_cli.transport.trust import trust_for

if TYPE_CHECKING:
    from ollama_cli.transport.auth import CredentialAuth
    from ollama_cli.transport.early import EarlyConnection
    from ollama_cli.transport.pooled import ResolvingBackend


def open_client(
    base_url: str,
    auth: CredentialAuth | None,
    *,
    user_agent: str,
    observe: Callable[[str], None] | None = None,
    deadline: Deadline | None = None,
    one_shot: bool = False,
    early: EarlyConnection | None = None,
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
        deadline: The time for everything; None is no limit.
        one_shot: Whether it sends one request after the other, in one thread, and no body that is streamed: then it is
            ready sooner, unless a proxy is on the way or a deadline is to be held.
        early: The connection that such a client begins with, where one is being opened.
        backend: What makes the connections of any other client, where that is not the usual one.

    Raises:
        UsageError: The address, a proxy setting or a named certificate cannot be used.
    """
    try:
        httpx.URL(base_url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UsageError(f"{base_url} is no address: {error}.", hint="Write it as http://HOST:PORT.") from error
    with settings_explained():
        transport = _transport(base_url, deadline or Deadline(), early, backend, one_shot=one_shot)
        return _client(base_url, auth, user_agent, observe, transport)


@contextmanager
def settings_explained() -> Iterator[None]:
    """Turn what is wrong with a setting into an error of ours.

    Raises:
        UsageError: A proxy setting or a named certificate cannot be used.
    """
    try:
        yield
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
    transport: httpx.BaseTransport,
) -> httpx.Client:
    return httpx.Client(
        base_url=base_url,
        auth=auth,
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity"},
        event_hooks=_told_to(observe) if observe else None,
    )


def _transport(
    base_url: str,
    deadline: Deadline,
    early: EarlyConnection | None,
    backend: ResolvingBackend | None,
    *,
    one_shot: bool,
) -> httpx.BaseTransport:
    proxy = proxy_for(base_url)
    if one_shot and proxy is None and not deadline.counts:
        from ollama_cli.transport.one_shot import OneShotTransport

        return OneShotTransport(trust_for(base_url) if early is None else early.trust(), early)
    load_httpcore()
    from ollama_cli.transport.pooled import pooled_transport

    trust_in_proxy = trust_for(proxy) if proxy and proxy.startswith("https://") else None
    return pooled_transport(trust_for(base_url), proxy, trust_in_proxy, deadline, backend)


def _told_to(observe: Callable[[str], None]) -> dict[str, list[Callable[..., None]]]:
    def on_request(request: httpx.Request) -> None:
        observe(f"> {request.method} {request.url.copy_with(query=None)}")

    def on_response(response: httpx.Response) -> None:
        kind = hide(response.headers.get("Content-Type", ""), sent_secrets(response.request))
        observe(f"< {response.status_code} {kind}")

    return {"request": [on_request], "response": [on_response]}

"""What goes wrong on the way to a server, in our own words."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urlsplit

from ollama_cli.errors import UnavailableError, UsageError
from ollama_cli.settings.hosts import is_loopback
from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.proxies import proxy_for, shown

_NETWORK_HINT = "Check the network connection; and the proxy (HTTPS_PROXY, NO_PROXY), if there is one."
_STARTING_HINT = "Start what is to listen there, or correct the address."
_LATER_HINT = "Try again in a moment."
_Error = TypeVar("_Error", bound=BaseException)


@contextmanager
def explained(base_url: str) -> Iterator[None]:
    """Turn httpx's exceptions into ours.

    Raises:
        UnavailableError: The server could not be reached, was too slow, or broke off.
    """
    host = urlsplit(base_url).netloc
    try:
        yield
    except httpx.InvalidURL as error:
        raise UsageError(f"{base_url} is no address: {error}.", hint="Write it as http://HOST:PORT.") from error
    except httpx.TransportError as error:
        raise _in_our_words(error, host, proxy_for(base_url)) from error
    except httpx.DecodingError as error:
        raise UnavailableError(
            f"The answer of {host} cannot be decoded.", hint=_LATER_HINT, code="answer_invalid"
        ) from error


def _in_our_words(error: httpx.TransportError, host: str, proxy: str | None) -> UnavailableError:
    if isinstance(error, httpx.ProxyError):
        return _refused_by_proxy(error, host, shown(proxy or ""))
    if isinstance(error, httpx.ConnectTimeout):
        who = f"The proxy {shown(proxy)}" if proxy else host
        return UnavailableError(f"{who} did not answer in time.", hint=_NETWORK_HINT, code="timeout")
    if isinstance(error, httpx.TimeoutException):
        return UnavailableError(f"{host} stopped answering.", hint=_LATER_HINT, code="timeout")
    refused = _cause(error, ConnectionRefusedError)
    lost = not isinstance(error, httpx.ConnectError) or _broke_off(error)
    if lost and not refused:
        return UnavailableError(f"The connection to {host} broke off.", hint=_LATER_HINT, code="connection_lost")
    certificate = _cause(error, ssl.SSLError)
    if certificate is not None:
        return _not_trusted(certificate, host)
    return _not_connected(error, host) if proxy is None else _no_proxy_there(error, shown(proxy))


def _not_connected(error: httpx.TransportError, host: str) -> UnavailableError:
    if _cause(error, socket.gaierror):
        return UnavailableError(f"The name {host} cannot be resolved.", hint=_NETWORK_HINT, code="dns")
    if _cause(error, ConnectionRefusedError):
        hint = _STARTING_HINT if is_loopback(f"http://{host}") else _NETWORK_HINT
        return UnavailableError(f"Nothing answers at {host}.", hint=hint, code="connection_refused")
    return UnavailableError(f"{host} cannot be reached.", hint=_NETWORK_HINT, code="unreachable")


def _no_proxy_there(error: httpx.TransportError, proxy: str) -> UnavailableError:
    if _cause(error, socket.gaierror):
        what = f"The name of the proxy {proxy} cannot be resolved."
    elif _cause(error, ConnectionRefusedError):
        what = f"No proxy answers at {proxy}."
    else:
        what = f"The proxy {proxy} cannot be reached."
    return UnavailableError(what, hint="Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or unset it.", code="proxy")


def _refused_by_proxy(error: httpx.ProxyError, host: str, proxy: str) -> UnavailableError:
    if re.search(r"\b407\b|Invalid username|requires? .*auth|USERNAME/PASSWORD", str(error)):
        return wants_sign_in(proxy)
    return UnavailableError(
        f"The proxy {proxy} did not let us through to {host}: {error}",
        hint="Look at HTTPS_PROXY and NO_PROXY, or ask whoever runs the proxy.",
        code="proxy",
    )


def wants_sign_in(proxy: str) -> UnavailableError:
    """The error for a proxy that wants to know who we are.

    Args:
        proxy: Its host and port.
    """
    return UnavailableError(
        f"The proxy {proxy} wants a user name and a password, or refuses those that it was given.",
        hint="They stand in its address: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
        code="proxy",
    )


def _not_trusted(error: ssl.SSLError, host: str) -> UnavailableError:
    """A certificate that is not what it has to be, or a handshake that failed."""
    reason = str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or "the handshake failed")
    for pattern, what, hint in _TLS_FAILURES:
        if re.search(pattern, reason, re.IGNORECASE):
            return UnavailableError(what.format(host=host), hint=hint, code="tls")
    told = reason.lower().replace("_", " ").rstrip(".")
    return UnavailableError(f"The TLS connection to {host} failed: {told}.", hint=_NETWORK_HINT, code="tls")


_INTERCEPTION_HINT = """\
A proxy or a virus scanner may be reading TLS. If that is wanted, put its certificate into the system's
trust store, or name its PEM file with SSL_CERT_FILE. If it is not, do not go on."""

_TLS_FAILURES = (
    (
        r"expired",
        "The certificate of {host} has expired.",
        "Check this machine's clock. If it is right, the server or a proxy has to get a new certificate.",
    ),
    (
        r"not yet valid|not valid yet",
        "The certificate of {host} is not valid yet.",
        "Check this machine's clock: it is probably slow.",
    ),
    (
        r"host ?name|IP address mismatch|name mismatch|not match",
        "The certificate that was shown is not for {host}, but for another name.",
        "Something else answers in its place: a sign-in page of the network, a proxy, or a wrong address.",
    ),
    (
        r"self.signed|issuer|not trusted|untrusted|unknown ca|unable to verify",
        "The certificate of {host} comes from an issuer that this machine does not trust.",
        _INTERCEPTION_HINT,
    ),
    (
        r"wrong.version.number|record.layer|http.request|packet.length|unknown.protocol",
        "{host} does not speak TLS.",
        "If it is a server of yours, write http:// in its address; else check the proxy.",
    ),
)


def _broke_off(error: httpx.TransportError) -> bool:
    """Whether a connection ended while it was being made; Python 3.11.2 takes that for a proper end of TLS."""
    return any(_cause(error, kind) is not None for kind in (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError))


def _cause(error: BaseException, kind: type[_Error]) -> _Error | None:
    """What an error came from, if that was of a kind."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        cause = cause.__cause__ or cause.__context__
    return cause

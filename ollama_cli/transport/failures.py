"""What goes wrong on the way to a server, in our own words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from ollama_cli.errors import UnavailableError, UsageError
from ollama_cli.transport.lean_httpx import httpx


@contextmanager
def explained(base_url: str) -> Iterator[None]:
    """Turn httpx's exceptions into ours.

    Raises:
        UnavailableError: The server could not be reached, was too slow, or broke off.
    """
    host = httpx.URL(base_url).netloc.decode("ascii", "replace")
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise UnavailableError(f"{host} did not answer in time.", hint=_CONNECTION_HINT, code="timeout") from error
    except httpx.TimeoutException as error:
        raise UnavailableError(f"{host} stopped answering.", hint="Try again in a moment.", code="timeout") from error
    except httpx.ProxyError as error:
        raise UnavailableError(
            f"The proxy did not let us through to {host}: {error}",
            hint="Look at HTTPS_PROXY and NO_PROXY.",
            code="proxy",
        ) from error
    except httpx.ConnectError as error:
        raise _connect_error(host, error) from error
    except httpx.InvalidURL as error:
        raise UsageError(f"{base_url} is no address: {error}.", hint="Write it as http://HOST:PORT.") from error
    except httpx.DecodingError as error:
        raise UnavailableError(
            f"The answer of {host} cannot be decoded.", hint="Try again in a moment.", code="answer_invalid"
        ) from error
    except httpx.TransportError as error:
        raise UnavailableError(
            f"The connection to {host} broke off.", hint="Try again in a moment.", code="connection_lost"
        ) from error


_CONNECTION_HINT = "Check the network connection; and the proxy (HTTPS_PROXY, NO_PROXY), if there is one."


def _connect_error(host: str, error: httpx.ConnectError) -> UnavailableError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "handshake failed"
            return UnavailableError(
                f"The TLS connection to {host} cannot be trusted: {reason}.",
                hint="Behind a proxy that inspects TLS, point SSL_CERT_FILE at its certificate; check the clock too.",
                code="tls",
            )
        if isinstance(cause, socket.gaierror):
            return UnavailableError(f"The name {host} cannot be resolved.", hint=_CONNECTION_HINT, code="dns")
        if isinstance(cause, ConnectionRefusedError):
            return UnavailableError(f"Nothing answers at {host}.", hint=_CONNECTION_HINT, code="connection_refused")
        cause = cause.__cause__ or cause.__context__
    return UnavailableError(f"{host} cannot be reached.", hint=_CONNECTION_HINT, code="unreachable")

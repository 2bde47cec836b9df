"""Host addresses as OLLAMA_HOST gives them, read the way the reference client reads them.

>>> parse_host("example.com")
'http://example.com:11434'
>>> parse_host("ollama.com")
'https://ollama.com:443'
>>> parse_host("0.0.0.0")
'http://127.0.0.1:11434'
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple, Self

from ollama_cli.errors import UsageError

CLOUD_URL = "https://ollama.com"
"""The origin that an account's key signs for."""

KEYS_PAGE = f"{CLOUD_URL}/settings/keys"
"""The page on which a person sees the account's devices and API keys, and takes off either."""

DEFAULT_PORT = "11434"
_SCHEME_PORTS = {"http": "80", "https": "443"}
_MAX_PORT = 65535


class Host(NamedTuple):
    """Where a server is: what OLLAMA_HOST says, taken apart.

    Attributes:
        scheme: ``http`` or ``https``.
        name: Host name or IP address, as given, without brackets.
        port: The port as digits.
        path: Base path, with a slash in front, or nothing.
        warning: What was wrong and how it was read, or None.
    """

    scheme: str
    name: str
    port: str
    path: str = ""
    warning: str | None = None

    @classmethod
    def parse(cls, text: str, source: str = "OLLAMA_HOST") -> Self:
        """Read the value of OLLAMA_HOST, or an address that is written as one.

        Args:
            text: The value.
            source: Where it stands, for an error.

        Raises:
            UsageError: It names a user, a scheme other than http and https, or is no address at all.
        """
        value = text.strip().strip("\"'").strip()
        scheme, separator, rest = value.partition("://")
        scheme = scheme.lower()
        default_port = DEFAULT_PORT
        if not separator:
            scheme, rest = ("https", "ollama.com:443") if value == "ollama.com" else ("http", value)
        elif scheme not in _SCHEME_PORTS:
            raise UsageError(
                f"{source} has the scheme {scheme!r}; only http and https can be used.",
                hint="Write it as http://HOST:PORT or https://HOST:PORT.",
            )
        else:
            default_port = _SCHEME_PORTS[scheme]
        authority, _, path = rest.partition("/")
        if "@" in authority:
            raise UsageError(
                f"{source} holds a user name; credentials do not belong in an address.",
                hint="Take everything up to the @ out of it.",
            )
        if re.search(r"[\s\x00-\x1f\x7f?#\\]", rest) or re.search(r"[^\w.:%\[\]~+-]", authority):
            raise UsageError(f"{source} holds characters that no address has.", hint="Write it as http://HOST:PORT.")
        name, port = _split_port(authority, source)
        if ":" not in name and name and not re.fullmatch(r"(?:[\w~+-]{1,63}\.)*[\w~+-]{1,63}\.?", name, re.ASCII):
            raise UsageError(
                f"{source} names {name!r}, which no server can be called.",
                hint="Write it as http://HOST:PORT; a name with other letters than a to z in its xn-- form.",
            )
        warning = None
        if port is None or port == "":
            port = default_port
        elif not re.fullmatch(r"[+-]?\d{1,9}", port) or not 0 <= int(port) <= _MAX_PORT:
            warning = f"{source} names the port {port!r}, which is none; {default_port} is used."
            port = default_port
        return cls(scheme, name or "127.0.0.1", str(int(port)), f"/{path}".rstrip("/"), warning)

    @property
    def url(self) -> str:
        """The address to connect to: an address that means "every interface" becomes this machine's own."""
        name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.name, self.name)  # noqa: S104 - replaced, not bound
        name = name.replace("%", "%25")
        return f"{self.scheme}://{f'[{name}]' if ':' in name else name}:{self.port}{self.path}"

    @property
    def origin(self) -> str:
        """Scheme, host and port in one spelling, to compare and to name credentials by."""
        return origin_of(self.url)

    @property
    def is_ollama_com(self) -> bool:
        """Whether the name is ollama.com's, in any case, whatever the scheme and port."""
        return self.name.lower().rstrip(".") == "ollama.com"


def _split_port(authority: str, source: str) -> tuple[str, str | None]:
    """Host and port of ``host:port``; the port is None where the text has none, as in a bare IPv6 address."""
    bracketed = re.fullmatch(r"\[(?P<name>[^\[\]]*)\](?::(?P<port>.*))?", authority)
    if bracketed:
        return _canonical_ip(bracketed["name"], source), bracketed["port"]
    if authority.count(":") > 1:
        return _canonical_ip(authority, source), None
    name, separator, port = authority.partition(":")
    if "[" in name or "]" in name:
        raise UsageError(f"{source} names {name!r}, which is no address.")
    return name, port if separator else None


def _canonical_ip(name: str, source: str) -> str:
    try:
        return ipaddress.ip_address(name).compressed
    except ValueError:
        raise UsageError(f"{source} names {name!r}, which is no address.") from None


def parse_host(text: str) -> str:
    """The address to connect to for a value of OLLAMA_HOST; an empty one means the local default.

    Args:
        text: Such as ``example.com``, ``[::1]:8080`` or ``https://example.com/base``.

    Returns:
        A URL with scheme, host and port, and a base path where one was given, without a slash at its end.

    Raises:
        UsageError: It names a user, a scheme other than http and https, or is no address at all.
    """
    return Host.parse(text).url


def host_of_option(option: str, text: str) -> Host:
    """The address that an option names. A port that is none is an error: what is asked for would go elsewhere.

    Args:
        option: The option.
        text: Its value, written as in OLLAMA_HOST.

    Raises:
        UsageError: It is no address.
    """
    host = Host.parse(text, option)
    if host.warning:
        raise UsageError(f"{option} names the port of no server: {text!r}.", hint="Write it as http://HOST:PORT.")
    return host


def origin_of(url: str) -> str:
    """Scheme, host and, where it is not the scheme's own, port of a URL: ``https://ollama.com``."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    scheme, name = parts.scheme.lower(), (parts.hostname or "").lower()
    shown = f"[{name}]" if ":" in name else name
    if parts.port is None or str(parts.port) == _SCHEME_PORTS.get(scheme):
        return f"{scheme}://{shown}"
    return f"{scheme}://{shown}:{parts.port}"


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine: ``localhost``, 127.0.0.0/8 or ::1, and nothing that only looks so."""
    from urllib.parse import urlsplit

    return is_loopback_name(urlsplit(url).hostname or "")


def is_loopback_name(name: str) -> bool:
    """Whether a host name or an address, without brackets, is this machine's."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

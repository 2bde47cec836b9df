"""The link that a person opens to put this device on their account."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

from ollama_cli.credentials.public_key import decode_public_key, encode_public_key
from ollama_cli.settings.hosts import CLOUD_URL

_PARAMETERS = {"name", "key", "launch"}
LONGEST_LINK = 2048
"""Characters of a link that may be opened: enough for any name, and no more than browsers take."""


def signin_url(device_name: str, public_key: str, *, base_url: str = CLOUD_URL) -> str:
    """The link that signs a device in.

    Args:
        device_name: What the account's page will call this device. Every reserved character is escaped, so that no
            name can add a parameter of its own.
        public_key: The line ``ssh-ed25519 AAAA…``, without a comment.
        base_url: The origin to sign in at.
    """
    name = quote(device_name, safe="", errors="replace")
    return f"{base_url}/connect?name={name}&key={encode_public_key(public_key)}"


def key_in(link: str) -> str | None:
    """The public key line that a connect link would approve, or None where the link may not be opened.

    It must be https, at exactly ollama.com with no port or user, its path ``/connect``, with one ``key`` that is an
    ed25519 public key, no parameter but those that the reference's links have, and each of them once.
    """
    if (
        len(link) > LONGEST_LINK
        or not link.isascii()
        or not link.isprintable()
        or any(char in link for char in " \\#;")
    ):
        return None
    try:
        parts = urlsplit(link)
        query = parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        return None
    if (parts.scheme, parts.netloc, parts.path) != ("https", "ollama.com", "/connect"):
        return None
    if "key" not in query or not query.keys() <= _PARAMETERS or any(len(values) > 1 for values in query.values()):
        return None
    return decode_public_key(query["key"][0])

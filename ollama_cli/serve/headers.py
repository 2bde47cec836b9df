"""Which headers go on to the next server, and which come back from it."""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_CREDENTIALS = frozenset({b"authorization", b"cookie", b"cookie2", b"x-api-key", b"api-key"})
"""What a client may hold for us, or for somebody else; the last two are Anthropic's and Azure's."""

_OURS = frozenset(
    {
        b"host",
        b"content-length",
        b"accept-encoding",
        b"expect",
        b"origin",
        b"referer",
        b"x-ollama-client-version",
    }
)
"""What we say by ourselves, or what was for us; the page that asks is nobody's business beyond us."""

_MISLEADING = frozenset(
    {
        b"forwarded",
        b"x-real-ip",
        b"x-http-method",
        b"x-http-method-override",
        b"x-method-override",
        b"x-original-url",
        b"x-rewrite-url",
    }
)
"""What a server may believe more than the request line, which is what is signed; and how a client got here."""

_PREFIXES_OF_OURS = (b"access-control-", b"sec-", b"x-forwarded-")

_NOT_BACK = frozenset({b"set-cookie", b"set-cookie2", b"alt-svc", b"strict-transport-security", b"server"})
"""What would bind a browser to an address that is not the one that said it."""


def onward(headers: Iterable[tuple[bytes, bytes]], *, unpacked: bool) -> Headers:
    """A client's headers, as they go on.

    Args:
        headers: Names in small letters, and values.
        unpacked: Whether the body goes on without the compression that it came with.
    """
    headers = list(headers)
    left_out = _HOP_BY_HOP | _CREDENTIALS | _OURS | _MISLEADING | _named_by_connection(headers)
    if unpacked:
        left_out |= {b"content-encoding"}
    kept = [(name, value) for name, value in headers if name not in left_out and not name.startswith(_PREFIXES_OF_OURS)]
    return [*kept, (b"accept-encoding", _codings(headers))]


def back(headers: Iterable[tuple[bytes, bytes]], secrets: Iterable[str] = ()) -> Headers:
    """A server's headers, as they come back; its Content-Length is right, for no byte of the body is changed.

    Beside a Transfer-Encoding it says nothing (RFC 9112, 6.3), and is left out.

    Args:
        headers: Names and values.
        secrets: What no header comes back with.
    """
    hidden = [secret.encode() for secret in secrets]
    headers = [(name.lower(), value) for name, value in headers]
    left_out = _HOP_BY_HOP | _NOT_BACK | _named_by_connection(headers)
    if value_of(headers, b"transfer-encoding"):
        left_out |= {b"content-length"}
    return [
        (name, value)
        for name, value in headers
        if name not in left_out
        and not name.startswith(b"access-control-")
        and not any(secret in value for secret in hidden)
    ]


def value_of(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    """The value of a header, or nothing."""
    return next((value for name, value in headers if name == wanted), b"")


def _codings(headers: Headers) -> bytes:
    """What an answer may be packed with: of what the client takes, that which an error can be unpacked from here."""
    taken = b",".join(value for name, value in headers if name == b"accept-encoding").lower().split(b",")
    known = [coding.strip() for coding in taken if coding.partition(b";")[0].strip() in {b"gzip", b"deflate"}]
    return b", ".join(known) or b"identity"


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    values = b",".join(value for name, value in headers if name == b"connection")
    return frozenset(token.strip().lower() for token in values.split(b","))

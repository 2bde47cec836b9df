"""The message that a signed request signs: method, path, and the query with its time stamp.

Observed on the reference client (``api/client.go``, ``server/cloud_proxy.go``): the query's own parameters and
``ts`` (unix seconds), sorted by key and form-encoded; the URL sent carries exactly that query. Neither the host nor
the body is part of it, which is why a key signs for one origin only.

>>> signed_target("/v1/chat/completions", "b=2&a=1", 1763883600)
'/v1/chat/completions?a=1&b=2&ts=1763883600'
>>> message("POST", "/api/chat?ts=1763883600")
b'POST,/api/chat?ts=1763883600'
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode


def signed_target(path: str, query: str, timestamp: int) -> str:
    """The path and query to send: the query's parameters and ``ts``, sorted and form-encoded.

    Args:
        path: The path as it stands in the request line, percent-encoded; empty means ``/``.
        query: The request's own query, without ``?``. A ``ts`` in it is replaced.
        timestamp: Unix seconds.
    """
    # Bytes that are no UTF-8 come back from the encoding as they went in.
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    pairs = [(key, value) for key, value in pairs if key != "ts"]
    pairs.append(("ts", str(timestamp)))
    pairs.sort(key=lambda pair: pair[0])
    return f"{path or '/'}?{urlencode(pairs, errors='surrogateescape')}"


def message(method: str, target: str) -> bytes:
    """The bytes to sign for a request.

    Args:
        method: The HTTP method, in capitals.
        target: What ``signed_target`` gave, without the server's base path.
    """
    return f"{method},{target}".encode()

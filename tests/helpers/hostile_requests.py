"""HTTP requests as no client sends them, and what a server makes of them."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from mutations import EVIL, damaged, written
from scripted_server import everything

_MODEL, _CHAT = "gpt-oss:120b", [{"role": "user", "content": "Why?"}]
_TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
_OPENAI_PART = [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}]
BODIES: dict[str, Any] = {
    "/api/generate": {"model": _MODEL, "prompt": "Why?", "stream": False, "think": "low", "options": {"seed": 1}},
    "/api/chat": {"model": _MODEL, "messages": _CHAT, "stream": False, "tools": [_TOOL], "format": {"type": "object"}},
    "/api/embed": {"model": "nomic-embed-text", "input": ["a", "b"], "truncate": True, "dimensions": 3},
    "/api/show": {"model": _MODEL, "verbose": True},
    "/api/web_search": {"query": "sky", "max_results": 3},
    "/api/web_fetch": {"url": "https://example.com/a"},
    "/v1/chat/completions": {"model": _MODEL, "messages": _OPENAI_PART, "tools": [_TOOL], "max_tokens": 5},
    "/v1/completions": {"model": _MODEL, "prompt": "Why?", "max_tokens": 5, "stop": ["x"]},
    "/v1/embeddings": {"model": "nomic-embed-text", "input": "a", "encoding_format": "base64"},
    "/v1/responses": {"model": _MODEL, "input": [{"role": "user", "content": "Why?"}], "text": {"format": {}}},
    "/v1/messages": {"model": _MODEL, "max_tokens": 5, "messages": _OPENAI_PART, "system": [{"type": "text"}]},
}
"""What is asked at each path of the API, with much of what may stand there."""

_ODD_HEADERS = [
    *("Content-Length: 5", "Content-Length: -1", "Content-Length: 1e3", "Content-Length: +7", "Content-Length: ²"),
    *("Content-Length: " + "9" * 30, "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked"),
    *(
        "Transfer-Encoding: identity",
        "Content-Encoding: gzip",
        "Content-Encoding: zstd",
        "Content-Encoding: gzip, gzip",
    ),
    *("Host: evil.example", "Host: ", "Expect: 100-continue", "Expect: x", "Connection: close, host, x-api-key"),
    *("Upgrade: h2c", "X-HTTP-Method-Override: DELETE", "X-Forwarded-Host: x", "Origin: null", "Range: bytes=9-1"),
    *(
        "Authorization: Bearer x",
        "Authorization: AAAA:x",
        "Authorization: ",
        "Cookie: " + "a=b; " * 2000,
        "X: " + "y" * 70000,
    ),
    *("no colon", " : ", "X:\ty\r\n folded", f"X: {EVIL}", "Content-Type: text/x", "Accept-Encoding: zstd, *;q=0"),
    *("Range: bytes=0-99999999999999999999", "Content-Range: 5-1", "Content-Range: 0-99999999999999999999999"),
]
_ODD_TARGETS = [
    *(
        "//",
        "/api/../api/me",
        "/api/%2e%2e/me",
        "/%00",
        "*",
        "http://evil.example/api/me",
        "/" + "a" * 9000,
        "/api/me?ts=%C2%B2",
    ),
    *(
        "/v1/models/%ff",
        "/v1/models/a%2fb",
        "/api/user/keys/%F0",
        "/api/chat?" + "ts=1&" * 2000,
        "/?\xff",
        "/api/blobs/x",
    ),
]


def chunked(body: bytes, sizes: list[int], size_line: str = "%x\r\n") -> bytes:
    """A body in chunks of these sizes, and of what is left."""
    parts, at = [], 0
    for size in [*sizes, len(body)]:
        part = body[at : at + size]
        at += size
        if part:
            parts.append((size_line % len(part)).encode() + part + b"\r\n")
    return b"".join(parts) + b"0\r\n\r\n"


_CHUNKS = [
    "%x\r\n",
    "%X;a=b\r\n",
    "%020x\r\n",
    "%x\n",
    " %x \r\n",
    "-%x\r\n",
    "0x%x\r\n",
    "%xffffffffffff\r\n",
    "\r\n%x\r\n",
]


@st.composite
def requests(draw: st.DrawFn, others: Mapping[str, str], headers: tuple[str, ...] = ()) -> bytes:
    """A request to a path of the API, or to another, of which little or much is not as it should be.

    Args:
        draw: Of hypothesis.
        others: Further paths that there are, by their method.
        headers: What most of them bring.
    """
    path = draw(st.sampled_from([*BODIES, *BODIES, *others]))
    method, body = others.get(path, "POST"), b""
    if path in BODIES:
        body = draw(written(BODIES[path]))
    elif draw(st.booleans()):
        body = draw(st.binary(max_size=40))
    target = path if draw(st.integers(0, 9)) else draw(st.sampled_from(_ODD_TARGETS))
    method = (
        method if draw(st.integers(0, 19)) else draw(st.sampled_from(["GET", "PUT", "TRACE", "CONNECT", "x", "\0"]))
    )
    lines = [f"{method} {target} {'HTTP/1.1' if draw(st.integers(0, 19)) else 'HTTP/9.9'}", "Host: 127.0.0.1"]
    lines += list(headers) if draw(st.integers(0, 9)) else []
    in_chunks = draw(st.integers(0, 3)) == 0
    if in_chunks:
        sizes = draw(st.lists(st.integers(1, 20), max_size=3))
        body = chunked(body, sizes, draw(st.sampled_from(["%x\r\n", "%x\r\n", *_CHUNKS])))
    lines.append("Transfer-Encoding: chunked" if in_chunks else f"Content-Length: {len(body)}")
    for odd in draw(st.lists(st.sampled_from(_ODD_HEADERS), max_size=2)) if draw(st.booleans()) else ():
        lines.insert(draw(st.integers(1, len(lines))), odd)
    whole = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body
    return draw(damaged(whole)) if draw(st.integers(0, 9)) == 0 else whole


def statuses_of(port: int, request: bytes, *, seconds_open: float = 0.1) -> list[int]:
    """The statuses of all that a server answers to some bytes, after which nothing comes.

    Args:
        port: Where it listens.
        request: What is sent.
        seconds_open: How long the client then says nothing before it closes its side, where the server may wait for
            more. A server that answers sooner does not see that.

    Raises:
        TimeoutError: It neither answers nor closes the connection.
    """
    answered = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it may have heard enough
            connection.sendall(request)
        connection.settimeout(seconds_open)
        try:
            while part := connection.recv(65536):
                answered += part
        except ConnectionResetError:
            pass
        except TimeoutError:
            connection.settimeout(20)
            with suppress(ConnectionError):
                connection.shutdown(socket.SHUT_WR)
                answered += everything(connection)
    heads = [part.split(b" ", 2) for part in bytes(answered).split(b"HTTP/1.1 ")[1:]]
    return [int(head[0]) for head in heads if head and head[0][:3].isdigit()]

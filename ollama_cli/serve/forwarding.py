"""A client's request on its way to the server that answers it: as it was read, or as it comes."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

from ollama_cli.serve.bodies import Held
from ollama_cli.serve.client import Client
from ollama_cli.serve.headers import Headers, onward, value_of
from ollama_cli.serve.relay import relay, relay_signed
from ollama_cli.serve.servers import FOR_A_DAEMON, Cloud, Onward, Server, WholeBody
from ollama_cli.transport.lean_httpx import httpx

_FORM = b"application/x-www-form-urlencoded"
"""What `curl -d` says of every body, also of the JSON that was read from it."""

_OWN_NAME = f"ollama-cli-{secrets.token_hex(8)}".encode("ascii")
_VIA = (b"via", b"1.1 " + _OWN_NAME)
"""What a daemon is told of us, so that a request which comes back is known."""


def came_back(headers: Headers) -> bool:
    """Whether a request was here before; a proxy on its way may have written several names into one header."""
    return any(name == b"via" and _OWN_NAME in value.lower() for name, value in headers)


async def ask_cloud(
    client: Client, cloud: Cloud, path: str, body: WholeBody | None = None, held: Held | None = None
) -> None:
    """Send a request to the cloud, signed, and pass its answer on.

    Args:
        client: Who asks.
        cloud: The cloud.
        path: Where it is asked there.
        body: What is sent, if anything is.
        held: The place of that, which is given free once it was sent.

    Raises:
        CliError: The credential cannot be had, or the cloud did not answer.
        RefusedError: It answered what is not passed on.
    """
    headers = onward(client.headers, unpacked=True)
    if body is not None:
        headers.append((b"content-length", b"%d" % len(body)))
        if value_of(headers, b"content-type").partition(b";")[0].strip().lower() in {b"", _FORM}:
            headers = [header for header in headers if header[0] != b"content-type"]
            headers.append((b"content-type", b"application/json"))
    response, signed = await cloud.open_signed(Onward(client.method, _target(path, client), headers, body))
    _let_go(body, held)
    await relay_signed(client, response, signed)


async def ask_daemon(client: Client, daemon: Server, body: WholeBody | None = None, held: Held | None = None) -> None:
    """Send a request on to the daemon, and pass its answer on; see ``ask_cloud``."""
    headers = [*onward(client.headers, unpacked=True), _VIA]
    if body is not None:
        headers.append((b"content-length", b"%d" % len(body)))
    path = client.scope["raw_path"].decode("ascii")
    response = await daemon.open(Onward(client.method, _target(path, client), headers, body, FOR_A_DAEMON))
    _let_go(body, held)
    await relay(client, response)


async def pass_on(client: Client, daemon: Server) -> None:
    """Send a request on to the daemon whose body nobody looks at: it may be a whole model."""
    headers = [*onward(client.headers, unpacked=False), _VIA]
    length = value_of(client.headers, b"content-length")
    body: httpx.AsyncByteStream | None = None
    if length or value_of(client.headers, b"transfer-encoding"):
        body = _Passing(client)
        headers.append((b"content-length", length) if length else (b"transfer-encoding", b"chunked"))
    else:
        await client.drain()
    path = client.scope["raw_path"].decode("ascii")
    response = await daemon.open(Onward(client.method, _target(path, client), headers, body, FOR_A_DAEMON))
    await relay(client, response)


class _Passing(httpx.AsyncByteStream):
    """A request's body, as it comes from the client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._client.body():
            yield piece


def _target(path: str, client: Client) -> str:
    query = client.scope["query_string"].decode("ascii")
    return f"{path}?{query}" if query else path


def _let_go(body: WholeBody | None, held: Held | None) -> None:
    """Forget a body that has been sent: its answer may take long."""
    if body is not None:
        body.let_go()
    if held is not None:
        held.let_go()

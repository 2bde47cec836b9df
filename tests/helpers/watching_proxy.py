"""A proxy that sees what a command sends, and with which credential, and has a sandbox answer it."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPMessage, parse_headers
from io import BytesIO
from typing import Self
from urllib.parse import SplitResult, urlsplit

from asyncio_server import asyncio_server, join

from ollama_cli import DeviceKey
from ollama_cli.credentials.public_key import fingerprint_of
from ollama_cli.signing.message import message
from ollama_cli.signing.verification import public_key_of


@dataclass(frozen=True)
class Seen:
    """A request as a server saw it.

    Attributes:
        origin: The server that it was meant for.
        method: The HTTP method.
        path: Without the query.
        query: What stands after ``?``.
        authorization: The header, or None.
    """

    origin: str
    method: str
    path: str
    query: str
    authorization: str | None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def credential(self) -> str:
        """``none``, ``Bearer KEY``, or the fingerprint of the device key whose signature it is."""
        if self.authorization is None:
            return "none"
        if self.authorization.startswith("Bearer "):
            return self.authorization
        signer = public_key_of(self.authorization, message(self.method, self.target))
        return fingerprint_of(signer) if signer else "a signature of something else"


class WatchingProxy:
    """An HTTP server that notes each request and has a sandbox answer it, as it comes.

    Args:
        upstream: The sandbox.
        signs_as: A device of the sandbox's in whose name requests are passed on, as a daemon does; None passes the
            caller's own credential on.
        base_path: Below which path it stands.
        origin: What it is noted as; None is its address.

    Attributes:
        url: Where it listens.
        base_path, signs_as: As they were given.
        seen: The requests that it got.
    """

    def __init__(
        self, upstream: str, *, signs_as: DeviceKey | None = None, base_path: str = "", origin: str | None = None
    ) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.signs_as = signs_as
        self.seen: list[Seen] = []
        self._upstream = urlsplit(upstream)
        self.base_path = base_path
        self._origin = origin or self.url

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Serve for as long as the block runs."""
        with asyncio_server(self._handle, at=self._listening):
            yield self

    @property
    def authorizations(self) -> list[str]:
        """Every ``Authorization`` that came along, in order."""
        return [seen.authorization for seen in self.seen if seen.authorization is not None]

    @property
    def secrets(self) -> dict[str, bytes]:
        """What was secret of them: signatures, tokens, and API keys but for how all of the sandbox's begin."""
        parts = {re.split("[ :]", value)[-1].removeprefix("sandbox-") for value in self.authorizations}
        return {f"sent: {part}": part.encode() for part in parts}

    def refusal(self, target: str, seen: Seen) -> bytes | None:
        """What is answered in the sandbox's place; None has the sandbox answer."""
        return None

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _, rest = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        method, target, _ = first.decode().split(" ")
        headers = parse_headers(BytesIO(rest))
        seen = self._as_seen(method, urlsplit(target), headers["Authorization"])
        self.seen.append(seen)
        refusal = self.refusal(target, seen)
        if refusal is None:
            assert self._upstream.hostname is not None
            assert self._upstream.port is not None
            passed_on = self._head(seen, headers)
            await join(reader, writer, self._upstream.hostname, self._upstream.port, passed_on)
        else:
            await reader.readexactly(int(headers["Content-Length"] or 0))
            writer.write(refusal)
            await writer.drain()

    def _as_seen(self, method: str, target: SplitResult, authorization: str | None) -> Seen:
        origin = f"http://{target.netloc}" if target.netloc else self._origin  # a proxy is asked with both in the path
        return Seen(origin, method, target.path.removeprefix(self.base_path), target.query, authorization)

    def _head(self, seen: Seen, headers: HTTPMessage) -> bytes:
        """The head of the request that goes to the sandbox, for a connection of its own."""
        target, new = seen.target, {"Host": self._upstream.netloc, "Connection": "close"}
        if self.signs_as is not None:
            target = f"{seen.path}?ts={int(datetime.now(UTC).timestamp())}"
            new["Authorization"] = self.signs_as.sign(message(seen.method, target))
        for name, value in new.items():
            del headers[name]
            headers[name] = value
        lines = [f"{seen.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")

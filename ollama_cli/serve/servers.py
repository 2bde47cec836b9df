"""The servers behind the gateway: ollama.com, whose requests are signed, and a daemon, which gets no credential."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from ollama_cli import __version__
from ollama_cli.serve.headers import Headers
from ollama_cli.serve.signer import Signed, Signer
from ollama_cli.transport.asynchronous import open_async_client
from ollama_cli.transport.failures import explained
from ollama_cli.transport.lean_httpx import httpx
from ollama_cli.transport.limits import FOR_A_MODEL, Limits

FOR_A_DAEMON = Limits(10, 24 * 3600, 24 * 3600)
"""For requests to a daemon: it may load a model or make one for as long as that takes, and say nothing meanwhile."""

_KEPT_CONNECTIONS = 64
_PIECE = 256 * 1024
_VERSION = (b"x-ollama-client-version", __version__.encode("ascii"))


class WholeBody(httpx.AsyncByteStream):
    """A body that can be sent again, in pieces that need no second copy of it."""

    def __init__(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        self._parts = [memoryview(part) for part in parts]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in pieces."""
        for part in self._parts:
            for start in range(0, len(part), _PIECE):
                yield bytes(part[start : start + _PIECE])

    def let_go(self) -> None:
        """Forget it: it has been sent."""
        for part in self._parts:
            part.release()
        self._parts = []


@dataclass(frozen=True)
class Onward:
    """A request to a server behind us.

    Attributes:
        method: Such as ``POST``.
        target: The path, and the query after a ``?``; percent-encoded.
        headers: What it says.
        body: What it carries.
        limits: How long its steps may take.
    """

    method: str
    target: str
    headers: Headers = field(default_factory=list)
    body: httpx.AsyncByteStream | None = None
    limits: Limits = FOR_A_MODEL


class Server:
    """A server behind us, without a credential.

    Args:
        base_url: Where it is.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._host = urlsplit(base_url).netloc.encode("ascii")
        self._http = open_async_client(base_url, most_kept=_KEPT_CONNECTIONS)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def open(self, onward: Onward, auth: httpx.Auth | None = None) -> httpx.Response:
        """Send a request; the answer's body is still to come, and the answer is to be closed.

        Raises:
            UnavailableError: The server cannot be reached, or did not answer.
        """
        request = httpx.Request(
            onward.method,
            f"{self.base_url}{onward.target}",
            headers=[(b"host", self._host), *onward.headers],
            stream=onward.body,
            extensions={"timeout": httpx.Timeout(onward.limits.first_byte, connect=onward.limits.connect).as_dict()},
        )
        with explained(self.base_url):
            response = await self._http.send(request, auth=auth, stream=True)
        response.request.extensions["timeout"]["read"] = onward.limits.idle  # for the body, which is still to come
        return response


class Cloud(Server):
    """ollama.com, or what stands in for it.

    Args:
        base_url: Where it is.
        signer: Has the credential.
    """

    def __init__(self, base_url: str, signer: Signer) -> None:
        super().__init__(base_url)
        self.signer = signer

    async def open_signed(self, onward: Onward) -> tuple[httpx.Response, Signed]:
        """Send a request with the credential that counts now; see ``open``.

        Returns:
            The answer, and the credential that it is an answer to.

        Raises:
            StoreError: The credential cannot be had.
            UnavailableError: The cloud cannot be reached, or did not answer.
        """
        signed = await self.signer.current()
        onward = Onward(onward.method, onward.target, [*onward.headers, _VERSION], onward.body, onward.limits)
        response = await self.open(onward, signed.auth)
        if response.status_code == HTTPStatus.UNAUTHORIZED and self.signer.changed:  # the key was changed meanwhile
            await response.aclose()
            signed = await self.signer.current()
            response = await self.open(onward, signed.auth)
        return response, signed


async def whole(response: httpx.Response, longest: int) -> bytes:
    """The body of an answer, unpacked, up to a number of bytes; the answer is closed.

    Raises:
        UnavailableError: It broke off.
    """
    content = bytearray()
    try:
        with explained(str(response.url.copy_with(query=None))):
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) >= longest:
                    break
    finally:
        await response.aclose()
    return bytes(content[:longest])

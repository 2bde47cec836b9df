"""A wire on the way to a sandbox: what the command really sent as its credential is noted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ollama_com import before, listening


@dataclass
class Wiretap:
    """A way to a sandbox.

    Attributes:
        url: Where it begins.
        sent: Every ``Authorization`` that came along, in order.
    """

    url: str = ""
    sent: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> dict[str, bytes]:
        """What was secret of it: signatures, tokens, and API keys but for how all of the sandbox's begin."""
        parts = {re.split("[ :]", value)[-1].removeprefix("sandbox-") for value in self.sent}
        return {f"sent: {part}": part.encode() for part in parts}


@contextmanager
def tapped(sandbox_url: str) -> Iterator[Wiretap]:
    """Lead to a sandbox until the block ends."""
    wiretap = Wiretap()
    pass_on = before(sandbox_url)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        wiretap.sent += re.findall(r"(?im)^authorization: *([^\r]*)", head.decode())
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        again = asyncio.StreamReader()
        again.feed_data(head + await reader.readexactly(int(length[1]) if length else 0))
        await pass_on(again, writer)

    with listening(handle) as port:
        wiretap.url = f"http://127.0.0.1:{port}"
        yield wiretap

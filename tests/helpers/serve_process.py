"""``ollama-cli serve`` as it runs: what it says, and clients of it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from scripted_server import everything
from support import COMMAND, Cli

SECONDS = 30
MODEL = "gpt-oss:120b-cloud"


@dataclass
class Serve:
    """``ollama-cli serve`` as it runs."""

    process: subprocess.Popen[bytes]
    url: str
    path: str | None
    said: list[str]
    _heard: threading.Condition

    def hears(self, pattern: str) -> re.Match[str]:
        """Wait until it says something on stderr."""
        with self._heard:
            assert self._heard.wait_for(lambda: re.search(pattern, self.text), SECONDS), self.text
            found = re.search(pattern, self.text)
        assert found is not None
        return found

    @property
    def text(self) -> str:
        """What it has said so far."""
        return "".join(self.said)

    def client(self, **more: Any) -> httpx.Client:
        """A client that adds as little as it can."""
        transport = httpx.HTTPTransport(uds=self.path) if self.path else None
        base = self.url or "http://localhost"
        return httpx.Client(base_url=base, trust_env=False, timeout=SECONDS, transport=transport, **more)

    def connect(self) -> socket.socket:
        """A connection."""
        name, _, port = self.url.removeprefix("http://").rpartition(":")
        connection = socket.create_connection((name.strip("[]"), int(port)), timeout=SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def raw(self, request: bytes) -> bytes:
        """All that is answered to bytes, until the connection is closed."""
        with self.connect() as connection:
            connection.sendall(request)
            return everything(connection)

    def resident(self) -> int:
        """Bytes of memory that it has."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGESIZE")


@contextmanager
def serve_process(cli: Cli, *options: str, before: tuple[str, ...] = (), stdin: bytes | None = None) -> Iterator[Serve]:
    """Run ``serve`` at a free port, or at the socket that is named, until the block ends."""
    port = () if {"--socket", "--port"} & set(options) else ("--port", "0")
    process = subprocess.Popen(
        [COMMAND, *before, "serve", "--json", *port, *options],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=cli.environment,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    if stdin is not None:
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
    said: list[str] = []
    heard = threading.Condition()

    def listen() -> None:
        for line in process.stderr or ():
            with heard:
                said.append(line.decode())
                heard.notify_all()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        first = process.stdout.readline()
        if not first:
            listener.join(SECONDS)
            raise AssertionError(f"it did not start: {process.wait(SECONDS)} {''.join(said)}")
        told = json.loads(first)
        yield Serve(process, told["url"] or "", told["socket"], said, heard)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(SECONDS)
        finally:
            process.kill()
            listener.join(SECONDS)
            process.stdout.close()
            process.stderr.close()

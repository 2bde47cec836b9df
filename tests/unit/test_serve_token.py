"""The token that a server makes for itself is one, however many servers make it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from ollama_cli.serve.token import kept_token

SERVERS = 8


def test_servers_that_start_in_the_same_moment_have_one_token(tmp_path: Path) -> None:
    together = Barrier(SERVERS)

    def start(path: Path) -> str:
        together.wait()
        return kept_token(path).reveal()

    with ThreadPoolExecutor(SERVERS) as servers:
        for number in range(10):
            path = tmp_path / str(number) / "serve-token"
            assert len(set(servers.map(start, [path] * SERVERS))) == 1

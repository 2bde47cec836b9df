"""Debian's ``docker-registry``, and what may stand before one."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from lying_registry import Lying, RegistryHandler, lying_registry
from models_on_disk import MANIFEST_TYPE


@dataclass
class DockerRegistry:
    """Debian's ``docker-registry``, without accounts.

    Attributes:
        folder: Where it keeps things.
        port: Where it listens.
    """

    folder: Path
    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def blob(self, digest: str) -> Path:
        """The file in which it keeps a blob."""
        hexadecimal = digest.removeprefix("sha256:")
        return self.folder / "docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"


_DOCKER_CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextmanager
def docker_registry(folder: Path) -> Iterator[DockerRegistry]:
    """Run one, which keeps things in a folder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "config.yml"
    config.write_text(_DOCKER_CONFIG.format(folder=folder, port=port))
    process = subprocess.Popen(
        ["docker-registry", "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_it_listens(process, port)
        yield DockerRegistry(folder, port)
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"docker-registry ended with {process.returncode}")


@contextmanager
def redirecting_front(docker: DockerRegistry) -> Iterator[Lying]:
    """What a large registry looks like: manifests come from it, blobs from a store at another host, by a redirect."""

    def to_store(handler: RegistryHandler) -> bool:
        digest = handler.path.rpartition("/")[2]
        if "/blobs/" in handler.path and docker.blob(digest).exists():
            handler.send(307, b"", {"Location": f"http://localhost:{store.port}/store/{digest}?signature=x"})
        else:
            with httpx.Client(trust_env=False, base_url=f"http://{docker.host}") as client:
                answer = client.get(handler.path, headers={"Accept": MANIFEST_TYPE})
            handler.send(answer.status_code, answer.content, {"Content-Type": answer.headers["Content-Type"]})
        return True

    def from_store(handler: RegistryHandler) -> bool:
        handler.send_part(docker.blob(handler.path.partition("?")[0].rpartition("/")[2]).read_bytes())
        return True

    with lying_registry() as front, lying_registry() as store:
        front.hook, store.hook = to_store, from_store
        front.store = store
        yield front

"""A registry in this process, that says what a test wants it to say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from in_thread import in_thread
from models_on_disk import MANIFEST_TYPE, digest_of, manifest_of

from ollama_cli import DeviceKey
from ollama_cli.api.model_name import ModelName
from ollama_cli.registry.pulling import Pull
from ollama_cli.registry.registry import Registry
from ollama_cli.registry.store import ModelStore
from ollama_cli.transport.clock import Clock
from ollama_cli.transport.retries import Retries


class RegistryHandler(BaseHTTPRequestHandler):
    """Answers as a registry does, unless its server has a hook that does."""

    protocol_version = "HTTP/1.1"
    server: LyingServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.lying.requests.append((self.command, self.path, dict(self.headers.items())))
        if self.server.lying.hook(self):
            return
        self.answer_truly()

    do_HEAD = do_GET  # noqa: N815 - the library's name

    do_POST = do_PATCH = do_GET  # noqa: N815 - likewise

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def answer_truly(self) -> None:
        lying = self.server.lying
        found = re.fullmatch(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<what>[^/?]+)", self.path)
        if found and found["kind"] == "manifests" and (found["name"], found["what"]) in lying.manifests:
            self.send(200, lying.manifests[found["name"], found["what"]], {"Content-Type": MANIFEST_TYPE})
        elif found and found["kind"] == "blobs" and found["what"] in lying.blobs:
            self.send_part(lying.blobs[found["what"]])
        else:
            self.send(404, json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "not there"}]}).encode())

    def send_part(self, content: bytes) -> None:
        """A blob, or the part of it that is asked for."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self.send(200, content)
            return
        first, last = int(asked[1]), int(asked[2] or len(content) - 1)
        part = memoryview(content)[first : last + 1]
        self.send(206, part, {"Content-Range": f"bytes {first}-{last}/{len(content)}"})

    def send(self, status: int, content: bytes | memoryview = b"", headers: dict[str, str] | None = None) -> bool:
        """Send an answer; gives that one was given."""
        self.send_response(status)
        headers = {"Content-Length": str(len(content)), **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        return True


class LyingServer(ThreadingHTTPServer):
    """The server of a ``Lying``."""

    daemon_threads = True
    lying: Lying

    def handle_error(self, *_: object) -> None:
        """A client may leave whenever it likes."""


@dataclass
class Lying:
    """A registry without accounts, that says what a test wants it to say.

    Attributes:
        port: Where it listens.
        manifests: By repository and tag.
        blobs: By digest.
        hook: Answers a request in the place of the registry, and says whether it did.
        requests: Method, path and headers of each request.
        store: What keeps its blobs, where that is another server.
    """

    port: int
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    hook: Callable[[RegistryHandler], bool] = lambda _: False
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    store: Lying | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def offer(self, *layers: bytes, name: str = "library/tiny", tag: str = "latest", config: bytes = b"{}") -> bytes:
        """Have it offer a model of these layers."""
        manifest = manifest_of(*layers, config=config)
        self.manifests[name, tag] = manifest
        self.blobs.update({digest_of(content): content for content in (*layers, config)})
        return manifest

    def asked(self, part: str) -> list[dict[str, str]]:
        """The headers of the requests whose path holds a text."""
        return [headers for _, path, headers in self.requests if part in path]


@contextmanager
def lying_registry() -> Iterator[Lying]:
    """Run such a registry."""
    server = LyingServer(("127.0.0.1", 0), RegistryHandler)
    server.lying = Lying(server.server_port)
    with in_thread(server):
        yield server.lying


def pull_in_process(lying: Lying, store: Path, *, silence: float = 30, transfers: int = 16) -> Pull:
    """A pull in this process, of ``library/tiny``, that takes so many seconds of silence."""

    def no_key() -> DeviceKey:
        raise AssertionError("nobody asked for a signature")

    name = ModelName.parse(f"http://{lying.host}/library/tiny")
    timeout = httpx.Timeout(silence, connect=10)
    registry = Registry(name.base_url, no_key, Clock(), user_agent="test", insecure=True, timeout=timeout)
    return Pull(name, registry, ModelStore(store), Retries(), transfers)

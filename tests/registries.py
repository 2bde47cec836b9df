"""Registries for tests: one in this process that can be told to lie, and what stands before Debian's."""

from __future__ import annotations

import filecmp
import hashlib
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any

import httpx

from ollama_cli import DeviceKey
from ollama_cli.api.model_name import ModelName
from ollama_cli.registry.pulling import Pull
from ollama_cli.registry.registry import Registry
from ollama_cli.registry.store import ModelStore
from ollama_cli.transport.clock import Clock
from ollama_cli.transport.retries import Retries

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
MODEL_TYPE = "application/vnd.ollama.image.model"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(content: bytes, media_type: str = MODEL_TYPE, **fields: Any) -> dict[str, Any]:
    """How a manifest names a layer."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **fields}


def manifest_of(*layers: bytes, config: bytes = b"{}") -> bytes:
    """The manifest of a model of these layers."""
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": layer(config, CONFIG_TYPE),
        "layers": [layer(each) for each in layers],
    }
    return json.dumps(content).encode()


def cheap_bytes(size: int, seed: int = 0) -> bytes:
    """Bytes that are quickly made, and differ from place to place."""
    block = b"".join(hashlib.sha256(f"{seed}-{number}".encode()).digest() for number in range(1024))
    numbered = (number.to_bytes(8, "big") + block[8:] for number in range(-(-size // len(block))))
    return b"".join(numbered)[:size]


class Handler(BaseHTTPRequestHandler):
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
    hook: Callable[[Handler], bool] = lambda _: False
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
    server = LyingServer(("127.0.0.1", 0), Handler)
    server.lying = Lying(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.lying
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def files_below(root: Path) -> dict[str, bytes]:
    """What a store holds that is whole: names of files below it, without our own folder, and their bytes."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".ollama-cli" not in path.parts
    }


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

    def to_store(handler: Handler) -> bool:
        digest = handler.path.rpartition("/")[2]
        if "/blobs/" in handler.path and docker.blob(digest).exists():
            handler.send(307, b"", {"Location": f"http://localhost:{store.port}/store/{digest}?signature=x"})
        else:
            with httpx.Client(trust_env=False, base_url=f"http://{docker.host}") as client:
                answer = client.get(handler.path, headers={"Accept": MANIFEST_TYPE})
            handler.send(answer.status_code, answer.content, {"Content-Type": answer.headers["Content-Type"]})
        return True

    def from_store(handler: Handler) -> bool:
        handler.send_part(docker.blob(handler.path.partition("?")[0].rpartition("/")[2]).read_bytes())
        return True

    with lying_registry() as front, lying_registry() as store:
        front.hook, store.hook = to_store, from_store
        front.store = store
        yield front


def put_model(
    root: Path, name: str, *layers: bytes, config: bytes = b"{}", fields: dict[str, Any] | None = None
) -> None:
    """Put a model into a store as a daemon has it there.

    Args:
        root: The store.
        name: The model.
        layers: Its layers.
        config: Its configuration.
        fields: What the manifest says about each layer besides.
    """
    whole = ModelName.parse(name)
    path = root.joinpath("manifests", *whole.parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.loads(manifest_of(*layers, config=config))
    content["layers"] = [{**each, **(fields or {})} for each in content["layers"]]
    path.write_text(json.dumps(content))
    (root / "blobs").mkdir(exist_ok=True)
    for blob in (*layers, config):
        blob_path(root, blob).write_bytes(blob)


def blob_path(root: Path, content: bytes) -> Path:
    """Where a store has a blob."""
    return root / "blobs" / digest_of(content).replace(":", "-")


def same_model(first: Path, first_name: str, second: Path, second_name: str) -> bool:
    """Whether two stores have the same model under their names, every byte of it."""
    paths = [root / "manifests" / name for root, name in ((first, first_name), (second, second_name))]
    if paths[0].read_bytes() != paths[1].read_bytes():
        return False
    content = json.loads(paths[0].read_bytes())
    names = [each["digest"].replace(":", "-") for each in (*content["layers"], content["config"])]
    return all(filecmp.cmp(first / "blobs" / name, second / "blobs" / name, shallow=False) for name in names)


def is_sound(root: Path) -> bool:
    """Whether a daemon finds nothing wrong in a store: each blob is what its name says, each manifest has its blobs."""
    for path in (root / "blobs").glob("sha256-*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name.removeprefix("sha256-")
    for path in (root / "manifests").glob("*/*/*/*"):
        content = json.loads(path.read_bytes())
        named = (content.get("layers") or ()), [content.get("config") or {}]
        for each in filter(lambda each: each.get("digest"), chain(*named)):
            assert (root / "blobs" / each["digest"].replace(":", "-")).stat().st_size == each["size"]
    assert not [path for path in (root / "manifests").rglob(".*") if path.is_file()]
    return True


def in_process(lying: Lying, store: Path, *, silence: float = 30, transfers: int = 16) -> Pull:
    """A pull in this process, of ``library/tiny``, that takes so many seconds of silence."""

    def no_key() -> DeviceKey:
        raise AssertionError("nobody asked for a signature")

    name = ModelName.parse(f"http://{lying.host}/library/tiny")
    timeout = httpx.Timeout(silence, connect=10)
    registry = Registry(name.base_url, no_key, Clock(), user_agent="test", insecure=True, timeout=timeout)
    return Pull(name, registry, ModelStore(store), Retries(), transfers)

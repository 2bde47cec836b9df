"""What a registry answers that is no use, and what a store is in the way of: each is told, and nothing is half done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from filelock import FileLock

from ollama_cli import DeviceKey
from ollama_cli.api.manifest import Blob, Manifest
from ollama_cli.api.model_name import ModelName
from ollama_cli.errors import (
    AnswerError,
    CliError,
    ModelStoreError,
    SafetyError,
    SignInError,
    UnavailableError,
)
from ollama_cli.registry.pulling import Pull
from ollama_cli.registry.pushing import Push
from ollama_cli.registry.registry import Registry
from ollama_cli.registry.store import ModelStore
from ollama_cli.registry.tokens import Tokens
from ollama_cli.transport.clock import Clock
from ollama_cli.transport.retries import Retries

LAYER = b"what a layer holds"
KEY = DeviceKey.generate()


@pytest.fixture
def registry(lying: Any) -> Iterator[Registry]:
    """A registry whose clock is right, for a device whose clock is an hour behind."""
    clock = Clock(lambda: time.time() - 3600)
    with closing(Registry(f"http://{lying.host}", lambda: KEY, clock, user_agent="test", insecure=True)) as opened:
        yield opened


@pytest.fixture
def name(lying: Any) -> ModelName:
    return ModelName.parse(f"http://{lying.host}/library/tiny")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause before a further try."""
    monkeypatch.setattr("ollama_cli.registry.persistence._FIRST_WAIT", 0.001)


def digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def challenging(lying: Any, token: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A registry that wants a token for everything, which it gives as a test says."""
    challenge = f'Bearer realm="http://{lying.host}/token",service="s",scope="repository:library/tiny:pull"'

    def hook(handler: Any) -> bool:
        if handler.path.startswith("/token?"):
            return token(handler)
        if handler.headers.get("Authorization") == "Bearer good":
            return bool(handler.send(200, b"{}"))
        return bool(handler.send(401, b"", {"WWW-Authenticate": challenge}))

    return hook


def asked(registry: Registry) -> None:
    with registry.answer("GET", "v2/library/tiny/manifests/latest"):
        pass


# Tokens


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"null", b"[]", b"[" * 60_000, b'{"token":7}', b'{"token":""}', b'{"token":"two words"}', b'"token"'],
    ids=repr,
)
def test_what_is_no_token_is_told(lying: Any, registry: Registry, answer: bytes) -> None:
    lying.hook = challenging(lying, lambda handler: handler.send(200, answer))
    with pytest.raises(AnswerError) as caught:
        asked(registry)
    assert caught.value.code == "bad_registry_token"


def test_a_registry_that_cannot_give_a_token_now_may_do_so_later(lying: Any, registry: Registry) -> None:
    lying.hook = challenging(lying, lambda handler: handler.send(503))
    with pytest.raises(CliError) as caught:
        asked(registry)
    assert (caught.value.retryable, caught.value.http_status) == (True, 503)


def test_a_clock_that_is_an_hour_behind_is_mended_by_the_registry_s(lying: Any, registry: Registry) -> None:
    stamps: list[int] = []

    def token(handler: Any) -> bool:
        stamps.append(int(parse_qs(urlsplit(handler.path).query)["ts"][0]))
        if abs(stamps[-1] - time.time()) > 300:
            return bool(handler.send(401, b'{"error":"unauthorized"}'))
        return bool(handler.send(200, b'{"token":"good"}'))

    lying.hook = challenging(lying, token)
    asked(registry)
    assert len(stamps) == 2
    lying.hook = challenging(lying, lambda handler: token(handler) if len(stamps) < 2 else handler.send(401))
    stamps.clear()
    asked(registry)  # with the token that it has
    assert stamps == []


def test_a_key_that_is_refused_at_the_right_time_too_is_not_known(lying: Any, registry: Registry) -> None:
    lying.hook = challenging(lying, lambda handler: handler.send(401, b'{"error":"who are you"}'))
    with pytest.raises(SignInError) as caught:
        asked(registry)
    assert caught.value.server_words == "who are you"
    assert len(lying.asked("/token?")) == 2


def test_nothing_is_signed_for_a_registry_that_others_can_listen_to() -> None:
    def no_key() -> DeviceKey:
        raise AssertionError("something was signed")

    tokens = Tokens("http://registry.example", no_key, Clock(), pytest.fail)
    with pytest.raises(SafetyError):
        tokens.renewed('Bearer realm="http://registry.example/token"', None)


# Refusals


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (400, {"errors": [{"code": "MANIFEST_INVALID", "message": "no\nsuch   form"}]}, AnswerError, "no such form"),
        (400, {"errors": [{"code": "SIZE_INVALID", "message": None}]}, AnswerError, "SIZE_INVALID"),
        (400, {"errors": [{"message": "whatever"}]}, AnswerError, "whatever"),
        (400, {"errors": "whatever"}, AnswerError, "400"),
        (403, {"errors": [{"code": "DENIED", "message": "not yours"}]}, CliError, "not yours"),
        (302, {}, CliError, "302"),
    ],
)
def test_a_refusal_is_told_in_the_registry_s_own_words(
    lying: Any, registry: Registry, status: int, body: object, kind: type[CliError], told: str
) -> None:
    lying.hook = lambda handler: handler.send(status, json.dumps(body).encode())
    with pytest.raises(kind) as caught:
        asked(registry)
    assert told in caught.value.message
    assert caught.value.http_status == status
    if status == 403:  # for the command, which has more to say about whose model it is
        assert (caught.value.code, caught.value.server_words) == ("registry_denied", "not yours")


def test_a_registry_that_was_closed_is_not_asked(lying: Any, registry: Registry) -> None:
    registry.close()
    with pytest.raises(UnavailableError):
        asked(registry)
    assert not lying.requests


# Layers


def pull(registry: Registry, name: ModelName, store: Path) -> list[str]:
    return [step.status for step in Pull(name, registry, ModelStore(store), Retries()).steps()]


@pytest.mark.usefixtures("hurried")
def test_a_layer_that_ends_well_and_too_soon_broke_off(
    lying: Any, registry: Registry, name: ModelName, store: Path
) -> None:
    lying.offer(LAYER)

    def half(handler: Any) -> bool:
        if digest(LAYER) not in handler.path:
            return False
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"4\r\nwhat\r\n0\r\n\r\n")
        return True

    lying.hook = half
    with pytest.raises(UnavailableError, match="broke off"):
        pull(registry, name, store)
    assert not list(store.glob("manifests/*/*/*/*"))


def test_a_busy_registry_is_asked_again_when_it_says(
    lying: Any, registry: Registry, name: ModelName, store: Path
) -> None:
    lying.offer(LAYER)
    lying.hook = lambda handler: (
        digest(LAYER) in handler.path
        and len(lying.asked(digest(LAYER))) < 3
        and handler.send(503, b"", {"Retry-After": "0"})
    )
    assert pull(registry, name, store)[-1] == "success"
    assert len(lying.asked(digest(LAYER))) == 3


@pytest.mark.parametrize("left", [b"", b"x", b"18 0\n0\n", b"18 18\n99\n", b"18 18\n0\n0\n", b"17 17\n0\n"], ids=repr)
def test_what_a_killed_command_noted_wrongly_is_loaded_anew(
    lying: Any, registry: Registry, name: ModelName, store: Path, left: bytes
) -> None:
    lying.offer(LAYER)
    own = ModelStore(store)
    own.prepare()
    (own.unfinished / sha256(LAYER).hexdigest()).write_bytes(bytes(len(LAYER)))
    (own.unfinished / f"{sha256(LAYER).hexdigest()}.parts").write_bytes(left)
    assert pull(registry, name, store)[-1] == "success"
    assert own.path(Blob(digest(LAYER), len(LAYER))).read_bytes() == LAYER


# The store


def test_what_stands_in_the_way_of_a_layer_is_told_and_others_may_load_it(
    lying: Any, registry: Registry, name: ModelName, store: Path
) -> None:
    lying.offer(LAYER)
    own, blob = ModelStore(store), Blob(digest(LAYER), len(LAYER))
    (own.unfinished / blob.hexadecimal / "in the way").mkdir(parents=True)
    with pytest.raises(ModelStoreError):
        pull(registry, name, store)
    claim = own.claim(blob)
    assert claim is not None
    claim.release()


def test_layers_that_go_as_they_come_are_given_up(
    lying: Any, registry: Registry, name: ModelName, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying.offer(LAYER)
    write = ModelStore.write_manifest

    def after_another_program(own: ModelStore, named: ModelName, manifest: Manifest) -> list[Blob] | None:
        own.path(manifest.blobs[0]).unlink()
        return write(own, named, manifest)

    monkeypatch.setattr(ModelStore, "write_manifest", after_another_program)
    with pytest.raises(ModelStoreError, match="as they come"):
        pull(registry, name, store)
    assert not list(store.glob("manifests/*/*/*/*"))


def test_a_disk_without_locks_is_told(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", unknown)
    own = ModelStore(store)
    own.prepare()
    with pytest.raises(ModelStoreError, match="knows no locks"):
        own.claim(Blob(digest(LAYER), len(LAYER)))


def test_a_store_that_another_command_keeps_locked_is_told(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ollama_cli.registry.store_locks._SECONDS_FOR_STORE", 0.05)
    own = ModelStore(store)
    own.prepare()
    with FileLock(own.unfinished / "store.lock"), pytest.raises(ModelStoreError, match="locked by another command"):
        own.claim(Blob(digest(LAYER), len(LAYER)))


# Pushing


@pytest.fixture
def pushed(registry: Registry, name: ModelName, store: Path) -> Push:
    """A model that is there to be pushed."""
    own = ModelStore(store)
    own.prepare()
    own.path(Blob(digest(LAYER), len(LAYER))).write_bytes(LAYER)
    content = {"schemaVersion": 2, "layers": [{"digest": digest(LAYER), "size": len(LAYER)}]}
    own.write_manifest(name, Manifest.parse(json.dumps(content).encode()))
    return Push(name, registry, own, Retries())


@pytest.mark.usefixtures("hurried")
def test_an_upload_that_the_registry_has_lost_is_given_up(lying: Any, pushed: Push) -> None:
    place = {"Location": "/v2/library/tiny/blobs/uploads/1"}
    answers: dict[str, Callable[[Any], bool]] = {
        "HEAD": lambda handler: handler.send(404),
        "POST": lambda handler: handler.send(202, b"", place),
        "PATCH": lambda handler: bool(handler.rfile.read(len(LAYER))) and handler.send(503, b"", {"Retry-After": "0"}),
        "GET": lambda handler: handler.send(204, b"", {**place, "Range": "0-9999"}),
    }
    lying.hook = lambda handler: answers[handler.command](handler)
    with pytest.raises(AnswerError) as caught:
        list(pushed.steps())
    assert caught.value.code == "upload_lost"


def test_a_layer_that_becomes_shorter_while_it_is_sent_is_no_model(lying: Any, pushed: Push, store: Path) -> None:
    place = {"Location": "/v2/library/tiny/blobs/uploads/1"}

    def hook(handler: Any) -> bool:
        if handler.command == "POST":
            next(store.glob("blobs/sha256-*")).write_bytes(LAYER[:5])
            return bool(handler.send(202, b"", place))
        return bool(handler.send(404) if handler.command == "HEAD" else handler.send(202, b"", place))

    lying.hook = hook
    with pytest.raises(ModelStoreError):
        list(pushed.steps())
    assert not lying.asked("/manifests/")

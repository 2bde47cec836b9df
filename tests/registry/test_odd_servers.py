"""Servers that change their mind, about parts and about what they have; and others who use the same store meanwhile."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lying_registry import Lying, RegistryHandler, pull_in_process
from models_on_disk import blob_path, cheap_bytes, digest_of, is_sound, put_model
from support import SECONDS, Cli, make_device

from ollama_cli.api.manifest import Blob
from ollama_cli.api.model_name import ModelName
from ollama_cli.errors import CliError, UnavailableError
from ollama_cli.registry.crew import Crew
from ollama_cli.registry.store import ModelStore

pytestmark = pytest.mark.forked

SMALL = cheap_bytes(3_000_000)


def cut(handler: RegistryHandler, count: int) -> bool:
    """Answer with the whole of ``SMALL``, and break off within it."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(SMALL)))
    handler.end_headers()
    handler.wfile.write(memoryview(SMALL)[:count])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True
    return True


def test_a_server_that_gives_no_parts_and_always_breaks_off_is_given_up(
    store: Path, lying: Lying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ollama_cli.registry.persistence._FIRST_WAIT", 0.001)
    lying.offer(SMALL)

    def hook(handler: RegistryHandler) -> bool:
        if digest_of(SMALL) not in handler.path:
            return False
        if len(lying.requests) > 50:  # nobody asks so often who ever gives up
            handler.send(404)
            return True
        return cut(handler, 1_500_000)

    lying.hook = hook
    with pytest.raises(UnavailableError):
        list(pull_in_process(lying, store).steps())
    assert len(lying.asked(digest_of(SMALL))) < 10
    lying.hook = lambda handler: digest_of(SMALL) in handler.path and handler.send(200, SMALL)
    assert [step.status for step in pull_in_process(lying, store).steps()][-1] == "success"
    assert is_sound(store)


def test_a_server_that_gives_parts_and_once_does_not_is_asked_again(
    store: Path, lying: Lying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ollama_cli.registry.unfinished.SMALLEST_PART", 1_000_000)
    lying.offer(SMALL)
    wholes: list[str] = []

    def hook(handler: RegistryHandler) -> bool:
        asked = handler.headers.get("Range", "")
        if digest_of(SMALL) not in handler.path or not asked.startswith("bytes=1") or wholes:
            return False
        wholes.append(asked)
        return handler.send(200, SMALL[:1], {"Content-Length": str(len(SMALL))})

    lying.hook = hook
    steps = [step.status for step in pull_in_process(lying, store).steps()]
    assert steps[-1] == "success"
    assert wholes == ["bytes=1000000-1999999"]
    first = [headers for headers in lying.asked(digest_of(SMALL)) if headers["Range"].startswith("bytes=0-")]
    assert len(first) == 1  # and what the other parts have is kept
    assert is_sound(store)


@pytest.mark.parametrize("known", [False, True])
def test_what_another_program_puts_there_meanwhile_is_checked(store: Path, lying: Lying, *, known: bool) -> None:
    lying.offer(b"first", b"second")
    if known:  # an unchanged manifest vouches for what is there, not for what comes
        assert [step.status for step in pull_in_process(lying, store).steps()][-1] == "success"
        for content in (b"first", b"second"):
            blob_path(store, content).unlink()

    def hook(handler: RegistryHandler) -> bool:
        if digest_of(b"first") in handler.path:
            blob_path(store, b"second").write_bytes(b"SECOND")  # as a daemon does that has not checked it yet
        return False

    lying.hook = hook
    assert [step.status for step in pull_in_process(lying, store, transfers=1).steps()][-1] == "success"
    assert is_sound(store)


def test_what_a_daemon_removes_meanwhile_is_loaded(store: Path, lying: Lying) -> None:
    lying.offer(b"first", b"second")
    put_model(store, "shares", b"first")

    def hook(handler: RegistryHandler) -> bool:
        if digest_of(b"second") in handler.path:
            blob_path(store, b"first").unlink()
            next(store.glob("manifests/*/*/shares/latest")).unlink()
        return False

    lying.hook = hook
    assert [step.status for step in pull_in_process(lying, store).steps()][-1] == "success"
    assert blob_path(store, b"first").read_bytes() == b"first"
    assert is_sound(store)


@pytest.mark.parametrize(
    ("what", "place"),
    [
        ("/manifests/", "http://xn--/x"),
        ("/blobs/", "http://[/x"),
        ("/blobs/", "data:text/plain,x"),
        ("/token", "http://xn--/x"),
    ],
)
def test_a_redirect_to_what_is_no_address_is_told(cli: Cli, lying: Lying, what: str, place: str) -> None:
    lying.offer(SMALL)
    realm = f'Bearer realm="http://{lying.host}/token",service="s",scope="x"'

    def hook(handler: RegistryHandler) -> bool:
        if what == "/token" and "/token" not in handler.path:
            return handler.send(401, b"", {"WWW-Authenticate": realm})
        return what in handler.path and handler.send(307, b"", {"Location": place})

    lying.hook = hook
    make_device(cli, f"http://{lying.host}")
    done = cli("pull", "--direct", "--insecure", "--json", f"{lying.host}/library/tiny")
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (done.returncode, error["code"]) == (8, "bad_redirect")


def test_nobody_gets_a_layer_that_is_still_written(store: Path, lying: Lying, monkeypatch: pytest.MonkeyPatch) -> None:
    lying.offer(SMALL, b"another")
    silent, release = threading.Event(), threading.Event()

    def hook(handler: RegistryHandler) -> bool:
        if digest_of(SMALL) in handler.path:
            silent.set()
            release.wait(SECONDS)
        elif digest_of(b"another") in handler.path:
            silent.wait(SECONDS)
            handler.send(404)
            return True
        return False

    lying.hook = hook
    seen: list[bool] = []
    leave = Crew.__exit__

    def watched(crew: Crew, *args: Any) -> None:
        claim = ModelStore(store).claim(Blob(digest_of(SMALL), len(SMALL)))
        seen.append(claim is None)
        if claim is not None:
            claim.release()
        leave(crew, *args)

    monkeypatch.setattr(Crew, "__exit__", watched)
    with pytest.raises(CliError):
        list(pull_in_process(lying, store).steps())
    release.set()
    assert seen == [True]
    claim = ModelStore(store).claim(Blob(digest_of(SMALL), len(SMALL)))
    assert claim is not None
    claim.release()


def test_a_name_in_other_capitals_is_the_same_name(store: Path, lying: Lying) -> None:
    put_model(store, f"{lying.host}/Library/TINY", b"a layer")
    lying.offer(b"a newer layer")
    assert [step.status for step in pull_in_process(lying, store).steps()][-1] == "success"
    (manifest,) = store.glob("manifests/*/*/*/*")
    assert manifest.relative_to(store / "manifests").parts == (lying.host, "Library", "TINY", "latest")
    assert not blob_path(store, b"a layer").exists()
    found = ModelStore(store).manifest(ModelName.parse(f"http://{lying.host}/LIBRARY/tiny:Latest"))
    assert found is not None
    assert found.content == manifest.read_bytes()


def test_as_many_threads_work_as_there_is_work() -> None:
    idle, busy = threading.Barrier(4), threading.Barrier(16)

    def at_once(meeting: threading.Barrier) -> None:
        meeting.wait(SECONDS)

    with Crew(16) as crew:
        for _ in range(3):
            crew.do(partial(at_once, idle))
        idle.wait(SECONDS)
        for _ in crew.looks():
            pass
        for _ in range(16):
            crew.do(partial(at_once, busy))
        for _ in crew.looks():
            pass


@pytest.mark.parametrize("tells", [True, False])
def test_a_first_piece_that_breaks_off_is_not_sent_twice(cli: Cli, store: Path, lying: Lying, *, tells: bool) -> None:
    """The registry takes a few bytes and resets, before the command can have counted them."""
    held = bytearray()
    place = {"Location": "/v2/library/tiny/blobs/uploads/1"}

    def patched(handler: RegistryHandler) -> bool:
        first = re.match(r"(\d+)-", handler.headers["Content-Range"])
        assert first is not None
        if int(first[1]) != len(held):
            return handler.send(416, b"", {"Range": f"0-{max(len(held) - 1, 0)}"})
        if held or (not tells and len(lying.asked("/uploads/1")) > 1):
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
            held.extend(handler.rfile.read(int(handler.headers["Content-Length"])))
            return handler.send(202, b"", place)
        if tells:
            held.extend(handler.rfile.read(5000))
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
        return True

    def hook(handler: RegistryHandler) -> bool:
        if not handler.path.endswith("/uploads/1"):
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is on the way
        if digest_of(SMALL) not in handler.path and "/uploads/" not in handler.path:
            return handler.send(201 if handler.command == "PUT" else 200)
        answers: dict[str, Callable[[], bool]] = {
            "HEAD": lambda: handler.send(404),
            "POST": lambda: handler.send(202, b"", place),
            "PATCH": lambda: patched(handler),
            "PUT": lambda: handler.send(201),
            "GET": lambda: (
                handler.send(204, b"", {**place, "Range": f"0-{max(len(held) - 1, 0)}"}) if tells else handler.send(405)
            ),
        }
        return answers[handler.command]()

    lying.hook = hook
    put_model(store, f"{lying.host}/library/tiny", SMALL)
    done = cli("push", "--direct", "--insecure", f"{lying.host}/library/tiny")
    assert done.returncode == 0, done.stderr
    assert bytes(held) == SMALL

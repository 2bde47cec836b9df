"""Registries that lie, and names and folders that want to lead astray: an error, and nothing wrong in the store."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lying_registry import Lying, RegistryHandler, lying_registry
from models_on_disk import MANIFEST_TYPE, blob_path, digest_of, files_below, is_sound, layer, put_model
from support import AS_A_USER, COMMAND, SECONDS, Cli, make_device, needs_a_user

from ollama_cli.api.manifest import Manifest
from ollama_cli.errors import AnswerError
from ollama_cli.registry.store import ModelStore

pytestmark = pytest.mark.forked

LAYER = b"what a layer holds, and is not long"


def pull(cli: Cli, lying: Lying, *args: str, **kwargs: Any) -> tuple[int, dict[str, Any]]:
    done = cli("pull", "--direct", "--insecure", "--json", *args, f"{lying.host}/library/tiny", **kwargs)
    error = json.loads(done.stderr.splitlines()[-1])["error"] if done.returncode else {}
    return done.returncode, error


def manifest(**fields: Any) -> bytes:
    content = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": layer(b"{}"), "layers": [layer(LAYER)]}
    return json.dumps({**content, **fields}).encode()


BAD_MANIFESTS = {
    "upwards": manifest(layers=[{**layer(LAYER), "digest": "sha256:../../../../x"}]),
    "another place": manifest(layers=[{**layer(LAYER), "digest": f"sha256:{'/' * 64}"}]),
    "another kind": manifest(layers=[{**layer(LAYER), "digest": digest_of(LAYER).replace("256", "512")}]),
    "capitals": manifest(layers=[{**layer(LAYER), "digest": digest_of(LAYER).upper().replace("SHA", "sha")}]),
    "line end": manifest(layers=[{**layer(LAYER), "digest": f"{digest_of(LAYER)}\n"}]),
    "no digest": manifest(layers=[{"size": 3}]),
    "negative size": manifest(layers=[{**layer(LAYER), "size": -1}]),
    "size that is none": manifest(layers=[{**layer(LAYER), "size": True}]),
    "size without end": manifest(layers=[{**layer(LAYER), "size": 10**30}]),
    "two sizes": manifest(layers=[layer(LAYER), {**layer(LAYER), "size": 3}]),
    "layers in capitals too": manifest()[:-1] + b', "LAYERS": []}',
    "no layers": manifest(layers=[], config={}),
    "layers that are none": manifest(layers={"a": 1}),
    "a layer that is none": manifest(layers=["x"]),
    "too many layers": manifest(layers=[{"digest": digest_of(LAYER), "size": 1}] * 10_001),
    "too long": manifest(more="x" * 4_200_000),
    "too deep": b"[" * 100_000,
    "no JSON": b"<html>",
    "nothing": b"",
}


@pytest.mark.parametrize("content", BAD_MANIFESTS.values(), ids=BAD_MANIFESTS.keys())
def test_a_manifest_that_cannot_be_is_refused(content: bytes) -> None:
    with pytest.raises(AnswerError) as caught:
        Manifest.parse(content)
    assert caught.value.code == "bad_manifest"


@pytest.mark.parametrize("kind", ["upwards", "too long", "too deep"])
def test_nothing_is_loaded_or_made_for_a_manifest_that_cannot_be(
    cli: Cli, store: Path, lying: Lying, kind: str
) -> None:
    lying.manifests["library/tiny", "latest"] = BAD_MANIFESTS[kind]
    status, error = pull(cli, lying)
    assert (status, error["code"]) == (8, "bad_manifest")
    assert not lying.asked("/blobs/")
    assert not store.exists()


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(digest_of(LAYER)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["layers", "Layers", "config", "digest", "size", "from", "mediaType"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(_VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_whatever_a_manifest_holds_its_blobs_stay_in_their_folder(content: bytes) -> None:
    try:
        read = Manifest.parse(content)
    except AnswerError:
        return
    store = ModelStore(Path("/store"))
    for blob in read.blobs:
        assert store.path(blob).parent == Path("/store/blobs")
        assert re.fullmatch(r"sha256-[0-9a-f]{64}", store.path(blob).name)
        assert 0 <= blob.size < 2**63


def test_a_model_of_thousands_of_layers_is_loaded(cli: Cli, store: Path, lying: Lying) -> None:
    layers = [str(number).encode() for number in range(1500)]
    lying.offer(*layers)
    limited = f"ulimit -n 100; exec {COMMAND} pull --direct --insecure {lying.host}/library/tiny"  # files open at once
    subprocess.run(["/bin/sh", "-c", limited], env=cli.environment, capture_output=True, timeout=SECONDS, check=True)
    assert len(list((store / "blobs").glob("sha256-*"))) == 1501
    assert is_sound(store)


def test_an_absurd_size_is_seen_before_anything_is_made(cli: Cli, store: Path, lying: Lying) -> None:
    lying.manifests["library/tiny", "latest"] = manifest(layers=[{**layer(LAYER), "size": 2**63 - 1}])
    status, error = pull(cli, lying)
    assert (status, error["code"]) == (1, "disk_full")
    assert files_below(store) == {}


def length(handler: RegistryHandler) -> None:
    handler.send(200, LAYER + b" and more")


def short(handler: RegistryHandler) -> None:
    handler.send(200, LAYER[:-1])


def endless(handler: RegistryHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"400\r\n" + bytes(1024) + b"\r\n")


def other_bytes(handler: RegistryHandler) -> None:
    handler.send(200, bytes(len(LAYER)))


def unasked_part(handler: RegistryHandler) -> None:
    handler.send(206, LAYER[1:], {"Content-Range": f"bytes 1-{len(LAYER) - 1}/{len(LAYER)}"})


def circle(handler: RegistryHandler) -> None:
    handler.send(302, b"", {"Location": handler.path})


def nowhere(handler: RegistryHandler) -> None:
    handler.send(307, b"", {"Location": "file:///etc/passwd"})


def with_name(handler: RegistryHandler) -> None:
    handler.send(307, b"", {"Location": "http://user:pass@127.0.0.1/x"})


def no_port(handler: RegistryHandler) -> None:
    handler.send(307, b"", {"Location": "http://127.0.0.1:99999/x"})


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (length, "registry_contradicts"),
        (short, "registry_contradicts"),
        (endless, "digest_mismatch"),
        (other_bytes, "digest_mismatch"),
        (unasked_part, "registry_contradicts"),
        (circle, "bad_redirect"),
        (nowhere, "bad_redirect"),
        (with_name, "bad_redirect"),
        (no_port, "bad_redirect"),
    ],
)
def test_a_lie_about_a_blob_is_told(
    cli: Cli, store: Path, lying: Lying, lie: Callable[[RegistryHandler], None], code: str
) -> None:
    lying.offer(LAYER)

    def hook(handler: RegistryHandler) -> bool:
        if digest_of(LAYER) not in handler.path:
            return False
        lie(handler)
        return True

    lying.hook = hook
    status, error = pull(cli, lying)
    assert (status, error["code"]) == (8, code)
    assert not blob_path(store, LAYER).exists()
    assert is_sound(store)
    lying.hook = lambda _: False
    assert pull(cli, lying)[0] == 0
    assert blob_path(store, LAYER).read_bytes() == LAYER


def test_a_part_that_is_another_is_not_taken(cli: Cli, store: Path, lying: Lying) -> None:
    content = bytes(range(256)) * 8000
    lying.offer(content)

    def other_part(handler: RegistryHandler) -> bool:
        asked = handler.headers.get("Range", "")
        if digest_of(content) not in handler.path or asked:
            handler.send(206, content[:5], {"Content-Range": f"bytes 0-4/{len(content)}"}) if asked else None
            return bool(asked)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:1000])
        handler.close_connection = True
        return True

    lying.hook = other_part
    status, error = pull(cli, lying)
    assert (status, error["code"]) == (7, "answer_invalid")
    lying.hook = lambda _: False
    assert pull(cli, lying)[0] == 0
    assert is_sound(store)


@pytest.mark.parametrize(
    ("challenge", "status", "code"),
    [
        ("", 8, "bad_challenge"),
        ("Bearer realm=", 8, "bad_challenge"),
        ('Basic realm="x"', 8, "bad_challenge"),
        ('Bearer realm="{evil}/token",service="s",scope="x"', 1, "foreign_realm"),
        ('Bearer realm="https://ollama.com/token",service="s",scope="x"', 1, "foreign_realm"),
    ],
)
def test_a_challenge_that_leads_elsewhere_is_answered_nowhere(
    cli: Cli, lying: Lying, challenge: str, status: int, code: str
) -> None:
    with lying_registry() as evil:

        def hook(handler: RegistryHandler) -> bool:
            value = challenge.format(evil=f"http://{evil.host}")
            handler.send(401, b"{}", {"WWW-Authenticate": value} if value else {})
            return True

        lying.hook = hook
        make_device(cli, f"http://{lying.host}")
        ended, error = pull(cli, lying)
        assert (ended, error["code"]) == (status, code)
        assert evil.requests == []
        assert len(lying.requests) == 1


def test_a_token_goes_to_its_registry_and_a_key_is_the_registry_s_own(cli: Cli, store: Path, lying: Lying) -> None:
    token = "a-token-that-nobody-else-may-see"
    lying.offer(LAYER)
    key = make_device(cli, f"http://{lying.host}")
    make_device(cli, "https://ollama.com")
    with lying_registry() as elsewhere:
        elsewhere.blobs = lying.blobs

        def hook(handler: RegistryHandler) -> bool:
            if handler.path.startswith("/token"):
                handler.send(200, json.dumps({"token": token}).encode())
            elif handler.headers.get("Authorization") != f"Bearer {token}":
                realm = f'Bearer realm="http://{lying.host}/token",service="s",scope="repository:library/tiny:pull"'
                handler.send(401, b"{}", {"WWW-Authenticate": realm})
            elif "/blobs/" in handler.path:
                handler.send(307, b"", {"Location": f"http://{elsewhere.host}{handler.path}"})
            else:
                return False
            return True

        lying.hook = hook
        assert pull(cli, lying)[0] == 0
        signed = [headers["Authorization"] for _, path, headers in lying.requests if path.startswith("/token")]
        assert [each.partition(":")[0] for each in signed] == [key.public_key.split()[1]]
        assert elsewhere.requests
        assert not any("Authorization" in headers for _, _, headers in elsewhere.requests)
        assert is_sound(store)

        lying.hook = lambda handler: handler.send(401, token.encode(), {"WWW-Authenticate": "Bearer"})
        done = cli("--debug", "pull", "--direct", "--insecure", f"{lying.host}/library/tiny")
        assert token not in done.stderr


def test_a_registry_that_never_has_enough_is_told_as_a_refusal(cli: Cli, lying: Lying) -> None:
    def hook(handler: RegistryHandler) -> bool:
        if handler.path.startswith("/token"):
            handler.send(200, b'{"token": "t"}')
        else:
            realm = f'Bearer realm="http://{lying.host}/token",service="s",scope="x"'
            said = (
                b'{"errors": [{"code": "DENIED", "message": "requested \\u001b[2Jaccess t to the resource is denied"}]}'
            )
            handler.send(401, said, {"WWW-Authenticate": realm})
        return True

    lying.hook = hook
    make_device(cli, f"http://{lying.host}")
    done = cli("pull", "--direct", "--insecure", f"{lying.host}/library/tiny")
    assert done.returncode == 5
    assert "\x1b" not in done.stderr
    assert len(lying.requests) == 3
    unknown = f'Bearer realm="http://{lying.host}/token",service="s",scope="x"'
    lying.hook = lambda handler: handler.send(401, b"{}", {"WWW-Authenticate": unknown})
    ended, error = pull(cli, lying)
    assert (ended, "ssh-ed25519 " in error["hint"]) == (4, True)


@pytest.mark.parametrize(
    ("name", "args", "status"),
    [
        ("http://127.0.0.1:9/a/b", (), 2),
        ("http://registry.ollama.ai/a/b", ("--insecure",), 1),
        ("http://OLLAMA.com/a/b", ("--insecure",), 1),
        ("ollama.com:80/a/b", ("--insecure",), 1),
        ("registry.ollama.ai./a/b", (), 1),
        ("ftp://127.0.0.1/a/b", ("--insecure",), 2),
        ("127.0.0.1:99999/a/b", ("--insecure",), 2),
        ("127.0.0.1:x/a/b", (), 2),
        ("../../a", (), 2),
        ("a/..:b", (), 2),
        ("127.0.0.1:9/a/b:../c", (), 2),
    ],
)
def test_a_name_that_leads_astray_is_refused(cli: Cli, name: str, args: tuple[str, ...], status: int) -> None:
    assert cli("pull", "--direct", *args, name).returncode == status
    assert not (cli.home / ".ollama").exists()


def test_links_in_a_store_are_followed_where_they_lead_and_replaced_where_they_dangle(
    cli: Cli, store: Path, lying: Lying
) -> None:
    lying.offer(LAYER, b"another layer")
    elsewhere = cli.home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_bytes(LAYER)
    (store / "blobs").mkdir(parents=True)
    blob_path(store, LAYER).symlink_to(elsewhere / "kept")
    blob_path(store, b"another layer").symlink_to(elsewhere / "not there")
    (store / "manifests/x").mkdir(parents=True)
    (store / "blobs/.ollama-cli").mkdir()
    (store / "blobs/.ollama-cli" / digest_of(b"another layer")[7:]).symlink_to(elsewhere / "taken over")
    assert pull(cli, lying)[0] == 0
    assert blob_path(store, LAYER).is_symlink()
    assert not blob_path(store, b"another layer").is_symlink()
    assert sorted(path.name for path in elsewhere.iterdir()) == ["kept"]
    assert is_sound(store)


@needs_a_user
@pytest.mark.parametrize("command", ["pull", "push"])
def test_a_store_that_cannot_be_written_is_read_all_the_same(cli: Cli, store: Path, lying: Lying, command: str) -> None:
    lying.offer(LAYER)
    put_model(store, f"{lying.host}/library/tiny", LAYER)
    there = files_below(store)

    if command == "push":
        lying.hook = lambda handler: handler.send(200 if handler.command == "HEAD" else 201)
    for folder in (store, *[path for path in store.rglob("*") if path.is_dir()]):
        folder.chmod(0o555)
    done = subprocess.run(
        [*AS_A_USER, COMMAND, command, "--direct", "--insecure", "--json", f"{lying.host}/library/tiny"],
        env=cli.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if command == "pull":
        error = json.loads(done.stderr.splitlines()[-1])["error"]
        assert (done.returncode, error["code"]) == (1, "model_store_unavailable")
        assert "OLLAMA_MODELS" in error["hint"]
    else:
        assert done.returncode == 0, done.stderr
    assert files_below(store) == there
    for folder in (store, *[path for path in store.rglob("*") if path.is_dir()]):
        folder.chmod(0o755)


def test_what_is_pushed_is_whole(cli: Cli, store: Path, lying: Lying) -> None:
    name = f"{lying.host}/library/tiny"
    put_model(store, name, LAYER)
    lying.hook = lambda handler: handler.send(404)
    blob_path(store, LAYER).write_bytes(LAYER[:-1])
    shorter = cli("push", "--direct", "--insecure", "--json", name)
    blob_path(store, LAYER).unlink()
    missing = cli("push", "--direct", "--insecure", "--json", name)
    next(store.glob("manifests/*/*/*/*")).write_bytes(b"{")
    damaged = cli("push", "--direct", "--insecure", "--json", name)
    unknown = cli("push", "--direct", "--insecure", "--json", f"{name}:other")
    codes = [json.loads(done.stderr.splitlines()[-1])["error"]["code"] for done in (shorter, missing, damaged, unknown)]
    assert codes == ["layer_damaged", "layer_damaged", "layer_damaged", "model_not_found"]
    assert not lying.requests

"""Debian's ``docker-registry``: 150 MB there and back, straight, and with its blobs at another host."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from docker_registry import docker_registry, redirecting_front
from models_on_disk import cheap_bytes, digest_of, is_sound, put_model, same_model
from support import Cli

pytestmark = pytest.mark.skipif(not shutil.which("docker-registry"), reason="Debian's docker-registry is not there")

BIG = cheap_bytes(150_000_000)


def test_a_model_goes_there_and_comes_back(cli: Cli, store: Path, tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with docker_registry(tmp_path / "registry") as docker, redirecting_front(docker) as front:
        name = f"{docker.host}/me/big"
        put_model(store, name, BIG, b"a template", b"")
        pushed = cli("push", "--direct", "--insecure", name)
        assert (pushed.returncode, pushed.stdout) == (0, ""), pushed.stderr
        assert f"Note: without an Ollama server, from {store} to the registry {docker.host}." in pushed.stderr
        assert docker.blob(digest_of(BIG)).stat().st_size == len(BIG)
        before = docker.blob(digest_of(BIG)).stat().st_mtime_ns
        again = cli("push", "--direct", "--insecure", "--json", name)
        assert again.returncode == 0, again.stderr
        assert {"digest": digest_of(BIG), "size": len(BIG)} in json.loads(again.stdout)["layers"]
        assert docker.blob(digest_of(BIG)).stat().st_mtime_ns == before

        for registry, extra in ((docker, []), (front, ["--transfers", "1"])):
            other = tmp_path / f"store-{registry.port}"
            pulled = cli(
                "pull", "--direct", "--insecure", *extra, f"{registry.host}/me/big", env={"OLLAMA_MODELS": str(other)}
            )
            assert (pulled.returncode, pulled.stdout) == (0, ""), pulled.stderr
            assert same_model(store, f"{docker.host}/me/big/latest", other, f"{registry.host}/me/big/latest")
            assert is_sound(other)

    assert front.store is not None
    assert {headers["Range"] for headers in front.store.asked(digest_of(BIG))} == {
        "bytes=0-99999999",
        "bytes=100000000-149999999",
    }
    assert front.store.asked("?signature=x")
    assert not any("Authorization" in headers for _, _, headers in front.store.requests)

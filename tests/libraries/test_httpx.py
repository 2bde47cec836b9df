"""Plain ``httpx`` with ``OllamaAuth``: several threads, a base path, and the credential that the command would use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support import Cli
from watching_proxy import WatchingProxy

from ollama_cli import DeviceKey, OllamaAuth
from ollama_cli.errors import SignInError
from ollama_cli.sandbox.server import EmbeddedSandbox


def opened(url: str, auth: OllamaAuth) -> httpx.Client:
    return httpx.Client(base_url=url, auth=auth, trust_env=False, timeout=30)


def test_a_query_of_one_s_own_is_signed_too(cloud: EmbeddedSandbox, key: DeviceKey) -> None:
    with opened(cloud.url, OllamaAuth(key, cloud.url)) as client:
        assert client.get("/api/tags", params={"z": "1 2", "a": "ü&="}).status_code == 200


@pytest.mark.parametrize("base_path", ["/base", "/b%20c/ü", "/v1"])
def test_a_base_path_is_sent_and_not_signed(cloud: EmbeddedSandbox, key: DeviceKey, base_path: str) -> None:
    sent = httpx.URL(path=base_path).raw_path.decode()
    below = WatchingProxy(cloud.url, base_path=sent)
    with below.running(), opened(f"{below.url}{base_path}", OllamaAuth(key, below.url, base_path)) as client:
        assert client.post("/api/me").status_code == 200
    assert [request.credential for request in below.seen] == [key.fingerprint]


def test_one_auth_serves_many_threads(cloud: EmbeddedSandbox, key: DeviceKey) -> None:
    with opened(cloud.url, OllamaAuth(key, cloud.url)) as client, ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: client.get(f"/api/tags?n={number}").status_code, range(64)))
    assert set(statuses) == {200}


# The credential that the command would use


def test_the_key_that_the_command_stored(
    cloud: EmbeddedSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": cloud.url})
    cli("--insecure-storage", "signin", "--no-wait")
    monkeypatch.setenv("OLLAMA_CLI_HOME", cli.environment["OLLAMA_CLI_HOME"])
    with opened(cloud.url, OllamaAuth(origin=cloud.url)) as client:
        refused = client.post("/api/me")
        assert refused.status_code == 401
        stored = DeviceKey.from_openssh(next((tmp_path / "state" / "data" / "keys").iterdir()).read_text())
        assert stored.encoded in refused.json()["signin_url"]
        cloud.approve(stored.public_key, "the command's")
        assert client.post("/api/me").json()["name"] == "sandbox"


def test_the_environment_s_api_key(cloud: EmbeddedSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_CLOUD_BASE_URL", cloud.url)
    monkeypatch.setenv("OLLAMA_API_KEY", cloud.make_api_key().reveal())
    with opened(cloud.url, OllamaAuth(origin=cloud.url)) as client:
        assert client.get("/api/tags").status_code == 200


def test_the_environment_s_device_key(cloud: EmbeddedSandbox, key: DeviceKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_CLOUD_BASE_URL", cloud.url)
    monkeypatch.setenv("OLLAMA_CLI_KEY", key.to_openssh().reveal())
    with opened(cloud.url, OllamaAuth(origin=cloud.url)) as client:
        assert client.get("/api/tags").status_code == 200


def test_the_environment_s_credential_is_not_for_another_origin(
    cloud: EmbeddedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", cloud.make_api_key().reveal())
    with pytest.raises(SignInError):
        OllamaAuth(origin=cloud.url)  # nothing says that it stands in for ollama.com

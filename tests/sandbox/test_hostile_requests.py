"""Whatever is sent to the sandbox: it answers that it does not take it, and goes on."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hostile_requests import requests, statuses_of
from hypothesis import given
from mutations import examples

from ollama_cli import DeviceKey
from ollama_cli.sandbox.server import EmbeddedSandbox

KEY = DeviceKey.generate()
DIGEST = f"sha256:{'0' * 64}"
OTHERS = {
    "/api/me": "POST",
    "/api/signout": "POST",
    "/api/pull": "POST",
    f"/api/user/keys/{KEY.encoded}": "DELETE",
    "/api/tags": "GET",
    "/v1/models/gpt-oss:120b": "GET",
    "/v2/": "GET",
    "/v2/token?service=ollama-cli+sandbox&ts=%C2%B2&nonce=a&scope=repository:ada/x:pull": "GET",
    "/v2/library/tiny/manifests/latest": "GET",
    "/v2/ada/tiny/manifests/latest": "PUT",
    "/v2/ada/tiny/blobs/uploads/": "POST",
    f"/v2/ada/tiny/blobs/{DIGEST}": "HEAD",
    f"/registry-store/blobs/{DIGEST}?ticket=x": "GET",
    "/registry-store/uploads/x/1?ticket=x": "PUT",
    f"/connect?name=a&key={KEY.encoded}": "GET",
    "/connect": "POST",
    "/settings/keys": "POST",
    "/sandbox/requests": "GET",
}


def test_whatever_is_sent_the_sandbox_answers_and_goes_on(tmp_path: Path) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", pace=0) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        headers = (f"Authorization: Bearer {sandbox.make_api_key().reveal()}", "Connection: close")

        @examples(150)
        @given(requests(OTHERS, headers))
        def check(request: bytes) -> None:
            assert all(status < 500 or status == 505 for status in statuses_of(port, request))

        check()
        assert httpx.get(f"{sandbox.url}/api/tags", trust_env=False).status_code == 200


_DEEP = [b"[" * depth + b"]" * depth for depth in range(880, 1000, 20)]  # a few of them can be read, and not written


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'["\\ud800"]', *_DEEP], ids=range(8))
def test_the_journal_shows_every_body(tmp_path: Path, body: bytes) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", pace=0) as sandbox:
        httpx.post(f"{sandbox.url}/api/show", content=body, trust_env=False)
        answered = httpx.get(f"{sandbox.url}/sandbox/requests", trust_env=False)
    assert answered.status_code == 200
    assert '"body":' in answered.text


@pytest.mark.parametrize("stamp", ["%C2%B2", "1" * 5000, "-1", "1_0", "%D9%A3"])
def test_a_time_that_is_none_is_refused_and_no_fault(tmp_path: Path, stamp: str) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", pace=0) as sandbox:
        shown = {"Authorization": KEY.sign("GET,x")}
        for path in ("/v2/token?service=ollama-cli+sandbox&nonce=a&ts=", "/api/me?ts="):
            method = "POST" if "me" in path else "GET"
            answered = httpx.request(method, f"{sandbox.url}{path}{stamp}", headers=shown, trust_env=False)
            assert answered.status_code == 401

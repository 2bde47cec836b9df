"""The sandbox's registry checks what ollama.com's does: signature, time and nonce, and whose namespace it is."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ollama_cli import DeviceKey
from ollama_cli.api.manifest import LARGEST_MANIFEST
from ollama_cli.sandbox.account_api import ACCOUNT
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.signing.challenge import NONCE_BYTES, Challenge, new_nonce, parse_challenge, token_message, token_url

MINE = f"/v2/{ACCOUNT['name']}/m"
Connect = Callable[..., httpx.Client]


def challenge_of(answer: httpx.Response) -> Challenge:
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"
    return parse_challenge(answer.headers["WWW-Authenticate"])


def asked(
    client: httpx.Client,
    key: DeviceKey,
    challenge: Challenge,
    *,
    nonce: str = "",
    at: int | None = None,
    signed: Callable[[str], str] = lambda url: url,
) -> httpx.Response:
    """Ask for a token."""
    url = token_url(
        challenge,
        nonce=nonce or new_nonce(os.urandom(NONCE_BYTES)),
        timestamp=at or int(time.time()),
    )
    return client.get(url, headers={"Authorization": key.sign(token_message(signed(url)))})


@pytest.fixture
def approved(embedded: EmbeddedSandbox, key: DeviceKey) -> DeviceKey:
    """A key that is on the account."""
    embedded.approve(key.public_key, "laptop")
    return key


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_a_challenge_names_the_registry_s_own_address_and_what_is_wanted(nobody: httpx.Client) -> None:
    pull = challenge_of(nobody.get(f"{MINE}/manifests/latest"))
    assert pull.realm == f"{nobody.base_url}/v2/token"
    assert pull.scope == f"repository:{ACCOUNT['name']}/m:pull"
    mount = challenge_of(nobody.post(f"{MINE}/blobs/uploads/?mount=sha256:{'a' * 64}&from=other/x"))
    assert mount.scope == f"repository:{ACCOUNT['name']}/m:pull,push repository:other/x:pull"


def test_a_signature_is_good_once(nobody: httpx.Client, approved: DeviceKey) -> None:
    challenge = challenge_of(nobody.get(f"{MINE}/manifests/latest"))
    nonce = new_nonce(b"sixteen bytes...")
    first, again = (asked(nobody, approved, challenge, nonce=nonce) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 401)
    missing = nobody.get(f"{MINE}/manifests/latest", headers=bearer(first))
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


def test_what_is_not_as_it_has_to_be_gives_no_token(
    nobody: httpx.Client, embedded: EmbeddedSandbox, approved: DeviceKey
) -> None:
    challenge = challenge_of(nobody.get(f"{MINE}/manifests/latest"))
    now = int(time.time())
    refused = [
        asked(nobody, approved, challenge, at=now - 400),
        asked(nobody, approved, challenge, at=now + 400),
        asked(nobody, approved, challenge, nonce="short"),
        asked(nobody, approved, challenge, signed=lambda url: url.replace("pull", "push")),
        asked(nobody, approved, challenge, signed=lambda url: url.replace("127.0.0.1", "localhost")),
        asked(nobody, approved, Challenge(challenge.realm, "another", challenge.scope)),
        nobody.get(token_url(challenge, nonce=new_nonce(bytes(16)), timestamp=now)),
    ]
    assert [answer.status_code for answer in refused] == [401] * 7
    unknown = asked(nobody, DeviceKey.generate(), challenge)
    assert unknown.status_code == 401
    assert urlsplit(unknown.json()["signin_url"]).path == "/connect"
    by_api_key = nobody.get(
        token_url(challenge, nonce=new_nonce(bytes(16)), timestamp=now),
        headers={"Authorization": f"Bearer {embedded.make_api_key().reveal()}"},
    )
    assert by_api_key.status_code == 401
    for ts in ("%C2%B2", "9" * 5000):  # a digit that is no number, and more digits than Python reads
        odd = nobody.get(f"/v2/token?service=x&ts={ts}", headers={"Authorization": approved.sign("x")})
        assert odd.status_code == 401


def test_a_token_is_for_its_scope_and_its_time(
    start: Callable[..., EmbeddedSandbox], connect: Connect, key: DeviceKey
) -> None:
    sandbox = start("PUT /v2/*=skew:301*1")
    sandbox.approve(key.public_key, "laptop")
    client = connect(sandbox)
    pull = bearer(asked(client, key, challenge_of(client.get(f"{MINE}/manifests/latest"))))
    assert client.put(f"{MINE}/manifests/latest", headers=pull).status_code == 401
    assert client.get(f"/v2/{ACCOUNT['name']}/other/manifests/latest", headers=pull).status_code == 401
    push = bearer(asked(client, key, challenge_of(client.put(f"{MINE}/manifests/latest"))))
    assert client.put(f"{MINE}/manifests/latest", headers=push, content=b"{}").status_code == 400
    foreign = challenge_of(client.get("/v2/ada/m/manifests/latest"))
    useless = bearer(asked(client, key, foreign))
    assert client.get("/v2/ada/m/manifests/latest", headers=useless).status_code == 401


def test_a_blob_opens_with_its_address_and_nothing_else(nobody: httpx.Client) -> None:
    nobody.get("/v2/library/tiny/manifests/latest").raise_for_status()
    digest = nobody.get("/v2/library/tiny/manifests/latest").json()["layers"][0]["digest"]
    head = nobody.head(f"/v2/library/tiny/blobs/{digest}")
    led = nobody.get(f"/v2/library/tiny/blobs/{digest}")
    place = led.headers["Location"]
    assert (led.status_code, urlsplit(place).hostname) == (307, "localhost")
    whole = nobody.get(place)
    part = nobody.get(place, headers={"Range": "bytes=2-5"})
    assert int(head.headers["Content-Length"]) == len(whole.content)
    assert f"sha256:{hashlib.sha256(whole.content).hexdigest()}" == digest
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert nobody.get(place, headers={"Range": "bytes=99999-"}).status_code == 416
    assert nobody.get(place, headers={"Authorization": "Bearer x"}).status_code == 400
    assert nobody.get(place.partition("?")[0]).status_code == 403
    assert nobody.get(f"/v2/{ACCOUNT['name']}/m/blobs/{digest}").status_code == 401
    assert parse_qs(urlsplit(place).query)["ticket"][0] not in nobody.get("/sandbox/requests").text
    for wrong in ("sha256:x", "..", f"sha256:{'0' * 64}"):
        assert nobody.get(f"/v2/library/tiny/blobs/{wrong}").status_code == 404


def test_parts_are_taken_in_a_row_where_nobody_asks_for_a_redirect(
    nobody: httpx.Client, approved: DeviceKey, folder: Path
) -> None:
    content = b"the first part, and the second"
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    headers = bearer(asked(nobody, approved, challenge_of(nobody.post(f"{MINE}/blobs/uploads/"))))
    place = nobody.post(f"{MINE}/blobs/uploads/", headers=headers).headers["Location"]
    ranged = {**headers, "Content-Range": "0-14"}
    assert nobody.patch(place, headers=ranged, content=content[:15]).headers["Range"] == "0-14"
    assert nobody.patch(place, headers=ranged, content=content[:15]).status_code == 416
    assert nobody.get(place, headers=headers).headers["Range"] == "0-14"
    rest = {**headers, "Content-Range": f"15-{len(content) - 1}"}
    assert nobody.patch(place, headers=rest, content=content[15:]).status_code == 202
    assert nobody.put(f"{place}?digest={digest}", headers=headers).status_code == 201
    assert nobody.put(f"{place}?digest={digest}", headers=headers).status_code == 404
    assert nobody.head(f"{MINE}/blobs/{digest}", headers=headers).status_code == 200
    manifest = {"schemaVersion": 2, "layers": [{"digest": digest, "size": len(content)}]}
    put = nobody.put(f"{MINE}/manifests/latest", headers=headers, content=json.dumps(manifest))
    assert put.status_code == 201
    manifest["layers"] = [{"digest": f"sha256:{'0' * 64}", "size": 1}]
    unknown = nobody.put(f"{MINE}/manifests/latest", headers=headers, content=json.dumps(manifest))
    assert unknown.json()["errors"][0]["code"] == "MANIFEST_BLOB_UNKNOWN"
    endless = nobody.put(f"{MINE}/manifests/latest", headers=headers, content=b"x" * (LARGEST_MANIFEST + 1))
    assert endless.status_code == 413
    again = nobody.post(f"{MINE}/blobs/uploads/?mount={digest}&from=no/such/name", headers=headers)
    assert again.status_code == 202  # nothing is mounted from what is no repository
    nobody.patch(again.headers["Location"], headers={**headers, "Content-Range": "0-4"}, content=b"other")
    wrong = nobody.put(f"{again.headers['Location']}?digest={digest}", headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    assert list((folder / "registry" / "uploads").iterdir()) == []


def test_what_was_sent_has_to_be_what_was_announced(nobody: httpx.Client, approved: DeviceKey) -> None:
    headers = bearer(asked(nobody, approved, challenge_of(nobody.post(f"{MINE}/blobs/uploads/"))))
    place = nobody.post(f"{MINE}/blobs/uploads/", headers=headers).headers["Location"]
    redirected = {**headers, "Content-Range": "0-4", "X-Redirect-Uploads": "1"}
    led = nobody.patch(place, headers=redirected, content=b"parts")
    assert led.status_code == 307
    assert nobody.put(led.headers["Location"], content=b"part").status_code == 400
    assert nobody.put(led.headers["Location"], content=b"parts", headers=headers).status_code == 400
    assert nobody.put(f"{led.headers['Location']}x", content=b"parts").status_code == 403
    assert nobody.put(led.headers["Location"], content=b"parts").status_code == 200
    digest = f"sha256:{hashlib.sha256(b'parts').hexdigest()}"
    assert nobody.put(f"{place}?digest={digest}&etag=wrong-1", headers=headers).status_code == 400
    sums = hashlib.md5(hashlib.md5(b"parts", usedforsecurity=False).digest(), usedforsecurity=False)
    assert nobody.put(f"{place}?digest={digest}&etag={sums.hexdigest()}-1", headers=headers).status_code == 201


def test_names_that_are_none_are_nobody_s(nobody: httpx.Client) -> None:
    for path in ("/v2/.../m/manifests/x", "/v2/library/tiny/manifests/.x", "/v2/a%2F../m/manifests/x"):
        assert nobody.get(path).status_code == 404
    assert nobody.get(f"/{ACCOUNT['name']}/nothing").status_code == 404
    assert nobody.get(f"/{ACCOUNT['name']}/.x").status_code == 404
    assert nobody.get("/v2/").json() == {}

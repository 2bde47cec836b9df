from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ollama_cli.credentials.credential import ApiKey
from ollama_cli.credentials.device_key import DeviceKey
from ollama_cli.credentials.public_key import decode_public_key
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.secret import Secret
from ollama_cli.transport.auth import CredentialAuth
from ollama_cli.transport.clock import Clock

Connect = Callable[..., httpx.Client]
ACCOUNT = {"email": "sandbox@localhost", "name": "sandbox", "plan": "free"}


def post(client: httpx.Client, target: str, token: str) -> httpx.Response:
    """Send exactly this path and query, with this credential."""
    url = client.base_url.copy_with(raw_path=target.encode())
    return client.post(url, headers={"Authorization": token})


def signed(client: httpx.Client, key: DeviceKey, target: str, *, message: str | None = None) -> httpx.Response:
    return post(client, target, key.sign(message if message is not None else f"POST,{target}"))


def now() -> int:
    return int(time.time())


@pytest.fixture
def by_hand(embedded: EmbeddedSandbox, connect: Connect, key: DeviceKey) -> httpx.Client:
    """A client that adds nothing to what it is given, while the key is on the account."""
    embedded.approve(key.public_key, "laptop")
    return connect(embedded)


def test_an_approved_device_is_the_account(device: httpx.Client) -> None:
    answer = device.post("/api/me")
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ACCOUNT} == ACCOUNT


def test_an_unknown_key_is_refused_with_a_link_that_names_it(
    embedded: EmbeddedSandbox, connect: Connect, key: DeviceKey
) -> None:
    answer = connect(embedded, key).post("/api/me")
    assert answer.status_code == 401
    assert answer.json()["error"] == "unauthorized"
    link = urlsplit(answer.json()["signin_url"])
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{embedded.url}/connect"
    assert parse_qs(link.query)["name"] == ["device"]
    assert decode_public_key(parse_qs(link.query)["key"][0]) == key.public_key


def test_the_link_holds_the_last_known_name_escaped(
    embedded: EmbeddedSandbox, connect: Connect, key: DeviceKey
) -> None:
    embedded.approve(key.public_key, "a b&key=x/ü")
    device = connect(embedded, key)
    assert device.delete(f"/api/user/keys/{key.encoded}").status_code == 200
    link = device.post("/api/me").json()["signin_url"]
    assert "name=a%20b%26key%3Dx%2F%C3%BC&key=" in link


def test_nothing_is_refused_without_a_link(nobody: httpx.Client) -> None:
    answer = nobody.post("/api/me")
    assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})


def test_a_raw_signature_as_the_reference_makes_it_is_taken(by_hand: httpx.Client, key: DeviceKey) -> None:
    assert signed(by_hand, key, f"/api/me?ts={now()}").status_code == 200
    assert signed(by_hand, key, f"/api/me?a=1&b=2&ts={now()}").status_code == 200


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param("/api/me?ts={now}", "GET,/api/me?ts={now}", id="another method"),
        pytest.param("/api/me?ts={now}", "POST,/api/tags?ts={now}", id="another path"),
        pytest.param("/api/me?ts={now}", "POST,/api/me?ts={before}", id="another time"),
        pytest.param("/api/me?ts={now}", "POST,/api/me", id="no time in the message"),
        pytest.param("/api/me?ts={now}", "POST {now}", id="nonsense"),
        pytest.param("/api/me", "POST,/api/me", id="no time"),
        pytest.param("/api/me?ts=", "POST,/api/me?ts=", id="empty time"),
        pytest.param("/api/me?ts=soon", "POST,/api/me?ts=soon", id="time in words"),
        pytest.param("/api/me?ts=-{now}", "POST,/api/me?ts=-{now}", id="negative time"),
        pytest.param("/api/me?ts=0{now}", "POST,/api/me?ts=0{now}", id="time with a zero in front"),
        pytest.param("/api/me?ts=%31{rest}", "POST,/api/me?ts=%31{rest}", id="time encoded needlessly"),
        pytest.param("/api/me?ts={now}&ts={now}", "POST,/api/me?ts={now}&ts={now}", id="time twice"),
        pytest.param("/api/me?ts={now}&ts={now}", "POST,/api/me?ts={now}", id="time twice, signed once"),
        pytest.param("/api/me?ts={now}&a=1", "POST,/api/me?ts={now}&a=1", id="query not sorted"),
        pytest.param("/api/me?ts={now}&a=1", "POST,/api/me?a=1&ts={now}", id="sent otherwise than signed"),
        pytest.param("/api/me?a=b%20c&ts={now}", "POST,/api/me?a=b%20c&ts={now}", id="space not as Go encodes it"),
        pytest.param("/api/me?a&ts={now}", "POST,/api/me?a&ts={now}", id="name without an equals sign"),
        pytest.param("/api/me?a=1&&ts={now}", "POST,/api/me?a=1&&ts={now}", id="empty pair"),
    ],
)
def test_a_signature_over_anything_else_is_refused(
    by_hand: httpx.Client, key: DeviceKey, target: str, message: str
) -> None:
    words = {"now": now(), "before": now() - 1, "rest": str(now())[1:]}
    answer = signed(by_hand, key, target.format(**words), message=message.format(**words))
    assert answer.status_code == 401
    assert "signin_url" in answer.json()


@pytest.mark.parametrize("seconds", [-301, 301, -86400, 10**9])
def test_a_time_that_is_minutes_away_is_refused(by_hand: httpx.Client, key: DeviceKey, seconds: int) -> None:
    assert signed(by_hand, key, f"/api/me?ts={now() + seconds}").status_code == 401


@pytest.mark.parametrize("seconds", [-290, 290])
def test_a_time_within_minutes_is_taken(by_hand: httpx.Client, key: DeviceKey, seconds: int) -> None:
    assert signed(by_hand, key, f"/api/me?ts={now() + seconds}").status_code == 200


def test_the_signature_of_another_key_is_refused(by_hand: httpx.Client, key: DeviceKey) -> None:
    target = f"/api/me?ts={now()}"
    foreign = DeviceKey.generate().sign(f"POST,{target}")
    mixed = f"{key.public_key.split()[1]}:{foreign.partition(':')[2]}"
    assert post(by_hand, target, mixed).status_code == 401


@pytest.mark.parametrize(
    "shape",
    [
        "{key}",
        "{key}:",
        "{key}:!!!!",
        "{key}:{short}",
        "{key}:{signature}A",
        ":{signature}",
        "x:{signature}",
        "AAAA:{signature}",
        "Signature {key}:{signature}",
        "{key}:{signature}:{signature}",
        "{key}=={signature}",
        "Bearer",
        "Bearer x y",
        "Basic dTpw",
        "",
    ],
)
def test_a_malformed_token_is_refused(by_hand: httpx.Client, key: DeviceKey, shape: str) -> None:
    target = f"/api/me?ts={now()}"
    key_text, _, signature = key.sign(f"POST,{target}").partition(":")
    token = shape.format(key=key_text, signature=signature, short=b64encode(b"short").decode())
    assert post(by_hand, target, token).status_code == 401


def test_two_credentials_are_refused(by_hand: httpx.Client, key: DeviceKey) -> None:
    target = f"/api/me?ts={now()}"
    token = key.sign(f"POST,{target}")
    url = by_hand.base_url.copy_with(raw_path=target.encode())
    assert by_hand.post(url, headers=[("Authorization", token), ("Authorization", token)]).status_code == 401


def test_a_signed_query_may_hold_bytes_that_are_no_text(device: httpx.Client) -> None:
    assert device.post("/api/me?a=%FF&z=%00").status_code == 200


def test_an_api_key_is_the_account(embedded: EmbeddedSandbox, connect: Connect) -> None:
    holder = connect(embedded, ApiKey(embedded.make_api_key("ci")))
    assert holder.post("/api/me").json()["name"] == "sandbox"
    assert holder.post("/api/generate", json={"model": "gpt-oss:20b", "prompt": "x"}).status_code == 200


@pytest.mark.parametrize("text", ["wrong", "sandbox-", "AAAAC3NzaC1lZDI1NTE5:x"])
def test_an_unknown_api_key_is_refused_without_a_link(embedded: EmbeddedSandbox, connect: Connect, text: str) -> None:
    answer = connect(embedded, ApiKey(Secret(text))).post("/api/me")
    assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})


def test_a_clock_far_away_is_mended_with_the_servers_date(
    embedded: EmbeddedSandbox, key: DeviceKey, connect: Connect
) -> None:
    embedded.approve(key.public_key, "laptop")
    clock = Clock(now=lambda: time.time() - 3600)
    client = connect(embedded)
    client.auth = CredentialAuth(key, embedded.url, clock=clock)
    assert client.post("/api/me").status_code == 200


class TestTakingDevicesOff:
    def test_a_device_takes_itself_off(self, device: httpx.Client, key: DeviceKey) -> None:
        answer = device.delete(f"/api/user/keys/{key.encoded}")
        assert (answer.status_code, answer.json()) == (200, None)
        assert device.post("/api/me").status_code == 401
        assert device.delete(f"/api/user/keys/{key.encoded}").status_code == 401

    def test_a_device_takes_another_off(
        self, embedded: EmbeddedSandbox, device: httpx.Client, connect: Connect
    ) -> None:
        other = DeviceKey.generate()
        embedded.approve(other.public_key, "old laptop")
        assert device.delete(f"/api/user/keys/{other.encoded}").status_code == 200
        assert connect(embedded, other).post("/api/me").status_code == 401
        assert device.post("/api/me").status_code == 200

    def test_an_api_key_takes_a_device_off(
        self, embedded: EmbeddedSandbox, device: httpx.Client, connect: Connect, key: DeviceKey
    ) -> None:
        holder = connect(embedded, ApiKey(embedded.make_api_key()))
        assert holder.delete(f"/api/user/keys/{key.encoded}").status_code == 200
        assert device.post("/api/me").status_code == 401

    @pytest.mark.parametrize("name", ["", "AAAA", "%2e%2e", "é", "c3NoLWVkMjU1MTk"])
    def test_what_names_no_device_is_not_found(self, device: httpx.Client, name: str) -> None:
        assert device.delete(f"/api/user/keys/{name}").status_code == 404

    def test_an_unknown_device_is_not_found(self, device: httpx.Client) -> None:
        answer = device.delete(f"/api/user/keys/{DeviceKey.generate().encoded}")
        assert answer.status_code == 404
        assert "error" in answer.json()

    def test_a_device_that_is_not_on_the_account_takes_nobody_off(
        self, embedded: EmbeddedSandbox, device: httpx.Client, connect: Connect, key: DeviceKey
    ) -> None:
        stranger = connect(embedded, DeviceKey.generate())
        assert stranger.delete(f"/api/user/keys/{key.encoded}").status_code == 401
        assert device.post("/api/me").status_code == 200

    def test_signout_as_the_reference_client_asks_for_it(self, device: httpx.Client) -> None:
        answer = device.post("/api/signout")
        assert (answer.status_code, answer.json()) == (200, None)
        assert device.post("/api/signout").status_code == 401

    def test_an_api_key_cannot_sign_out(self, embedded: EmbeddedSandbox, connect: Connect) -> None:
        holder = connect(embedded, ApiKey(embedded.make_api_key()))
        assert holder.post("/api/signout").status_code == 400
        assert holder.post("/api/me").status_code == 200

"""Ours does what the reference client was recorded to do, but for the differences that protocol.md names."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, unquote_plus, urlsplit

import httpx
import pytest

from ollama_cli import DeviceKey, ModelRef, parse_host, signin_url
from ollama_cli.api.model_name import ModelName
from ollama_cli.credentials.device_key import KeyTextError
from ollama_cli.errors import UsageError
from ollama_cli.signing.connect_link import key_in
from ollama_cli.signing.verification import public_key_of
from ollama_cli.transport.auth import CredentialAuth
from ollama_cli.transport.clock import Clock

VECTORS = Path(__file__).parents[1] / "data" / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


KEYS = vectors("keys")


def recorded_key() -> DeviceKey:
    """The key that the reference signed everything with."""
    return DeviceKey.from_openssh(KEYS["keys"][0]["pem"])


def authenticated(method: str, url: str, *, timestamp: int, origin: str, base_path: str = "") -> httpx.Request:
    auth = CredentialAuth(recorded_key(), origin, base_path, clock=Clock(now=lambda: timestamp))
    return next(auth.auth_flow(httpx.Request(method, url)))


@pytest.mark.parametrize("recorded", KEYS["keys"], ids=lambda key: key["fingerprint_sha256"])
def test_a_key_has_the_reference_s_public_line_encoding_and_fingerprint(recorded: dict[str, str]) -> None:
    key = DeviceKey.from_openssh(recorded["pem"])
    assert key.public_key == recorded["public_key"]
    assert key.encoded == recorded["encoded_key"]
    assert key.fingerprint == recorded["fingerprint_sha256"]


@pytest.mark.parametrize("recorded", KEYS["keys"], ids=lambda key: key["fingerprint_sha256"])
def test_a_key_survives_being_written_and_read(recorded: dict[str, str]) -> None:
    key = DeviceKey.from_openssh(recorded["pem"])
    again = DeviceKey.from_openssh(key.to_openssh().reveal())
    assert again.public_key == key.public_key
    assert again.sign("m") == key.sign("m")


def test_an_encrypted_key_opens_with_its_passphrase() -> None:
    key = DeviceKey.from_openssh(KEYS["encrypted_pem"], KEYS["encrypted_passphrase"])
    assert public_key_of(key.sign(b"m"), b"m") == key.public_key


def test_a_wrong_passphrase_is_told_apart() -> None:
    with pytest.raises(KeyTextError) as caught:
        DeviceKey.from_openssh(KEYS["encrypted_pem"], "hunter3")
    assert caught.value.reason == "passphrase"


@pytest.mark.parametrize("passphrase", [None, ""])
def test_an_encrypted_key_without_its_passphrase_says_so(passphrase: str | None) -> None:
    with pytest.raises(KeyTextError) as caught:
        DeviceKey.from_openssh(KEYS["encrypted_pem"], passphrase)
    assert (caught.value.reason, caught.value.status) == ("encrypted", 2)


@pytest.mark.parametrize("recorded", vectors("signatures")["signatures"], ids=lambda row: repr(row["message"]))
def test_a_signature_is_the_reference_s(recorded: dict[str, str]) -> None:
    assert recorded_key().sign(recorded["message"]) == recorded["authorization"]
    assert recorded_key().sign(recorded["message"].encode()) == recorded["authorization"]
    assert public_key_of(recorded["authorization"], recorded["message"].encode()) == KEYS["keys"][0]["public_key"]


@pytest.mark.parametrize(
    "recorded", vectors("signed_requests")["requests"], ids=lambda row: f"{row['method']} {row['request_uri']}"
)
def test_a_signed_request_is_the_reference_s(recorded: dict[str, Any]) -> None:
    path, _, query = recorded["request_uri"].partition("?")
    request = authenticated(
        recorded["method"],
        f"http://127.0.0.1:8080{path}",
        timestamp=int(parse_qs(query)["ts"][0]),
        origin="http://127.0.0.1:8080",
        base_path=recorded["base_path"],
    )
    assert request.url.raw_path.decode() == recorded["request_uri"]
    assert [request.headers["Authorization"]] == recorded["headers"]["Authorization"]


@pytest.mark.parametrize("recorded", vectors("registry_and_proxy")["cloud_proxy"], ids=lambda row: row["url"])
def test_a_request_with_a_query_is_signed_as_the_reference_s_proxy_does(recorded: dict[str, str]) -> None:
    request = authenticated(
        recorded["method"], recorded["url"], timestamp=int(recorded["ts"]), origin="https://ollama.com"
    )
    sent = httpx.URL(recorded["sent_url"])
    assert (request.url.host, request.url.raw_path) == (sent.host, sent.raw_path)
    assert request.headers["Authorization"] == recorded["authorization"]
    assert recorded_key().sign(recorded["signed_message"]) == recorded["authorization"]
    assert f"{recorded['method']},{request.url.raw_path.decode()}" == recorded["signed_message"]


@pytest.mark.parametrize("recorded", vectors("signin_names")["names"], ids=lambda row: repr(row["hostname"]))
def test_a_device_name_reads_the_same_as_in_both_of_the_reference_s_links(recorded: dict[str, str]) -> None:
    link = signin_url(recorded["hostname"], vectors("signin_names")["public_key"])
    name = urlsplit(link).query.removeprefix("name=").partition("&")[0]
    assert unquote(name) == unquote(recorded["escaped_by_daemon"]) == recorded["hostname"]
    assert unquote_plus(name) == unquote_plus(recorded["escaped_by_app"]) == recorded["hostname"]


@pytest.mark.parametrize("recorded", vectors("signin_names")["names"], ids=lambda row: repr(row["hostname"]))
def test_a_device_name_adds_nothing_to_its_link(recorded: dict[str, str]) -> None:
    """The daemon's own escaping lets ``&`` and ``=`` through; ours escapes every reserved character."""
    public_key = vectors("signin_names")["public_key"]
    link = signin_url(recorded["hostname"], public_key)
    assert parse_qs(urlsplit(link).query, keep_blank_values=True) == {
        "name": [recorded["hostname"]],
        "key": [KEYS["keys"][0]["encoded_key"]],
    }
    assert f"name={quote(recorded['hostname'], safe='')}&" in link
    assert "+" not in link
    assert key_in(link) == public_key


@pytest.mark.parametrize("recorded", vectors("model_refs"), ids=lambda row: repr(row["ref"]))
def test_a_model_reference_reads_as_in_the_reference(recorded: dict[str, Any]) -> None:
    if "error" in recorded:
        with pytest.raises(UsageError):
            ModelRef.parse(recorded["ref"])
        return
    ref = ModelRef.parse(recorded["ref"])
    assert (ref.base, ref.source, ref.pull_name) == (recorded["base"], recorded["source"], recorded["pull_name"])
    assert (ref.source == "cloud") == recorded["pull_is_cloud"]


REFUSED_HOSTS = {"http://user:pw@example.com", "ftp://example.com"}
OUR_HOSTS = {":56": "http://127.0.0.1:56"}


@pytest.mark.parametrize(
    "recorded",
    [row for row in vectors("hosts") if row["OLLAMA_HOST"] not in REFUSED_HOSTS],
    ids=lambda row: repr(row["OLLAMA_HOST"]),
)
def test_a_host_is_the_address_that_the_reference_connects_to(recorded: dict[str, str]) -> None:
    text = recorded["OLLAMA_HOST"]
    assert parse_host(text) == OUR_HOSTS.get(text, recorded["connectable"])


@pytest.mark.parametrize("text", sorted(REFUSED_HOSTS))
def test_a_user_name_or_a_foreign_scheme_in_a_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_host(text)


def test_a_refused_host_does_not_show_the_password_in_it() -> None:
    with pytest.raises(UsageError) as caught:
        parse_host("http://user:pa55word@example.com")
    assert "pa55word" not in json.dumps(caught.value.as_json())


def test_a_token_holds_the_key_and_a_signature_of_64_bytes() -> None:
    key, signature = recorded_key().sign("x").split(":")
    assert key == KEYS["keys"][0]["public_key"].split()[1]
    assert len(b64decode(signature, validate=True)) == 64


@pytest.mark.parametrize("recorded", vectors("model_names"), ids=lambda name: str(name["name"])[:40])
def test_names_of_models_are_read_as_the_reference_does(recorded: dict[str, Any]) -> None:
    if not recorded["valid"]:
        with pytest.raises(UsageError):
            ModelName.parse(recorded["name"])
        return
    name = ModelName.parse(recorded["name"])
    assert vars(name) == {part: recorded[part] for part in ("host", "namespace", "model", "tag", "scheme")}
    assert (name.shortest, name.base_url) == (recorded["display"], recorded["base_url"])

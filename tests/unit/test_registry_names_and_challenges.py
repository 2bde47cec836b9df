"""Names of models in a registry, and its challenges: as the reference reads them, or a clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli import DeviceKey
from ollama_cli.api.model_name import ModelName
from ollama_cli.errors import AnswerError, CliError, SafetyError, UsageError
from ollama_cli.signing.challenge import (
    NONCE_BYTES,
    Challenge,
    checked_realm,
    new_nonce,
    parse_challenge,
    token_message,
    token_url,
)

VECTORS = Path(__file__).parents[1] / "data" / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


NAMES = vectors("model_names")
REGISTRY = vectors("registry_and_proxy")
KEY = DeviceKey.from_openssh(vectors("keys")["keys"][0]["pem"])
ABSOLUTE = [recorded for recorded in REGISTRY["challenges"] if recorded.get("realm", "").startswith("http")]
MALFORMED = [recorded["header"] for recorded in REGISTRY["challenges"] if recorded not in ABSOLUTE]


@pytest.mark.parametrize("recorded", [each for each in NAMES if each["valid"]], ids=lambda each: each["name"][:40])
def test_a_name_stands_in_a_store_and_a_registry_where_the_reference_has_it(recorded: dict[str, Any]) -> None:
    name = ModelName.parse(recorded["name"])
    assert "/".join(name.parts) == recorded["filepath"]
    assert name.repository == f"{recorded['namespace']}/{recorded['model']}"


@given(st.text(alphabet="ab./:\\%\0-_~ ") | st.text())
def test_no_valid_name_leads_out_of_its_folder(text: str) -> None:
    try:
        name = ModelName.parse(text)
    except UsageError:
        return
    root = Path("/store/manifests")
    path = root.joinpath(*name.parts)
    assert path.parts[:3] == root.parts
    assert len(path.parts) == len(root.parts) + 4
    assert not {".", ".."} & set(path.parts)


@pytest.mark.parametrize("recorded", ABSOLUTE, ids=lambda recorded: recorded["header"])
def test_a_challenge_is_read_and_answered_as_by_the_reference(recorded: dict[str, str]) -> None:
    challenge = parse_challenge(recorded["header"])
    assert challenge == Challenge(recorded["realm"], recorded["service"], recorded["scope"])
    asked = parse_qs(urlsplit(recorded["token_url"]).query)
    url = token_url(challenge, nonce=asked["nonce"][0], timestamp=int(asked["ts"][0]))
    assert url == recorded["token_url"]


@pytest.mark.parametrize("recorded", REGISTRY["token_requests"], ids=lambda recorded: recorded["url"][-30:])
def test_a_request_for_a_token_is_signed_as_by_the_reference(recorded: dict[str, str]) -> None:
    assert KEY.sign(token_message(recorded["url"])) == recorded["authorization"]


def test_a_nonce_is_sixteen_bytes_in_unpadded_base64url() -> None:
    assert new_nonce(bytes(range(240, 256))) == "8PHy8_T19vf4-fr7_P3-_w"
    assert NONCE_BYTES == 16


@pytest.mark.parametrize("header", [*MALFORMED, 'Bearer realm="a",realm="b"', 'Bearer realm="https://h/t",scope="x'])
def test_a_malformed_challenge_is_a_clear_error(header: str) -> None:
    with pytest.raises(AnswerError, match="asks for a sign-in in a way that cannot be answered") as caught:
        checked_realm(parse_challenge(header), "https://h")
    assert caught.value.code == "bad_challenge"


def test_of_several_challenges_the_one_that_a_key_answers_counts() -> None:
    header = 'Basic realm="x", Bearer realm="https://h/t", service=s,scope="a\\"b"'
    assert parse_challenge(header) == Challenge("https://h/t", "s", 'a"b')


FOREIGN = [
    "https://evil.example/token",
    "http://registry.ollama.ai/token",
    "https://registry.ollama.ai:444/token",
    "https://registry.ollama.ai.evil.example/token",
    "https://registry.ollama.ai@evil.example/token",
    "https://me@registry.ollama.ai/token",
    "https://registry.ollama.ai/token#x",
]


@pytest.mark.parametrize("realm", FOREIGN)
def test_no_signature_is_shown_to_another_server(realm: str) -> None:
    with pytest.raises(SafetyError) as caught:
        checked_realm(parse_challenge(f'Bearer realm="{realm}"'), "https://registry.ollama.ai")
    assert caught.value.code == "foreign_realm"


def test_the_registry_s_own_realm_may_be_spelt_otherwise() -> None:
    for realm in ("https://registry.ollama.ai:443/token", "https://REGISTRY.ollama.ai/token"):
        assert checked_realm(Challenge(realm), "https://registry.ollama.ai") == realm


_PIECES = st.sampled_from(
    ["Bearer ", "realm=", '"', ",", "=", "\\", "https://h/t", "scope", " ", "\x7f", "é", "@", "["]
)


@given(st.lists(_PIECES | st.text(max_size=5), max_size=20).map("".join))
def test_whatever_a_registry_sends_is_a_challenge_of_its_own_or_an_error(header: str) -> None:
    try:
        challenge = parse_challenge(header)
        realm = checked_realm(challenge, "https://h")
        url = token_url(challenge, nonce="n", timestamp=1)
    except CliError:
        return
    assert urlsplit(realm).hostname == urlsplit(url).hostname == "h"
    assert parse_qs(urlsplit(url).query)["ts"][-1] == "1"

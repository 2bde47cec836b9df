"""What is signed is what is sent, whatever the path and the query are."""

from collections.abc import Callable
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_cli import DeviceKey
from ollama_cli.signing.message import message, signed_target
from ollama_cli.signing.verification import public_key_of
from ollama_cli.transport.auth import CredentialAuth
from ollama_cli.transport.clock import Clock

NOW = 1763883600
KEY = DeviceKey.generate()

hostile_text = st.text(alphabet=st.sampled_from("abts=&;%+?#/\\ 0F\t\n\x00\u00e9\u2028\U0001f600"), max_size=24)
"""Query texts in which every character that has a meaning is frequent."""


@given(hostile_text)
@example("ts=1&ts=2&t%73=3")
@example("%ff=%fe&%zz&a;b&=&==&&")
def test_a_signed_query_has_one_time_and_is_sorted(query: str) -> None:
    path, _, signed = signed_target("/api/x", query, NOW).partition("?")
    pairs = parse_qsl(signed, keep_blank_values=True, errors="surrogateescape")
    assert path == "/api/x"
    assert [value for key, value in pairs if key == "ts"] == [str(NOW)]
    assert [key for key, _ in pairs] == sorted(key for key, _ in pairs)
    assert signed.isascii()
    assert " " not in signed


@given(hostile_text)
@example("%ff=%fe&%zz&a;b&=&==&&")
def test_signing_a_signed_query_changes_nothing(query: str) -> None:
    target = signed_target("/api/x", query, NOW)
    assert signed_target("/api/x", target.partition("?")[2], NOW) == target


@given(hostile_text)
def test_a_signed_query_keeps_every_parameter_in_its_order(query: str) -> None:
    before = [pair for pair in parse_qsl(query, keep_blank_values=True, errors="surrogateescape") if pair[0] != "ts"]
    signed = signed_target("/", query, NOW).partition("?")[2]
    after = [pair for pair in parse_qsl(signed, keep_blank_values=True, errors="surrogateescape") if pair[0] != "ts"]
    assert after == sorted(before, key=lambda pair: pair[0])


def test_an_empty_path_is_signed_as_a_slash() -> None:
    assert signed_target("", "", NOW) == f"/?ts={NOW}"


url_text = hostile_text.map(lambda text: "".join(char for char in text if char.isprintable()))
"""The same, without what no URL may hold."""


@given(path=url_text, query=url_text, base_path=st.sampled_from(["", "/prefix", "/prefix/", "/a b", "/a%20b"]))
@example(path="/evil.example/api", query="", base_path="")
@example(path="x", query="a=/prefix/&%zz=%ff", base_path="/prefix")
def test_what_is_signed_is_what_is_sent(path: str, query: str, base_path: str) -> None:
    url = f"https://ollama.com{base_path.rstrip('/')}/{path}?{query}"
    auth = CredentialAuth(KEY, "https://ollama.com", base_path, clock=Clock(now=lambda: NOW))
    request = next(auth.auth_flow(httpx.Request("GET", url)))
    assert (request.url.scheme, request.url.host, request.url.port) == ("https", "ollama.com", None)
    sent = request.url.raw_path.decode("ascii")
    base = base_path.rstrip("/").replace(" ", "%20")
    assert sent.startswith(f"{base}/")
    signed = message("GET", sent.removeprefix(base))
    assert public_key_of(request.headers["Authorization"], signed) == KEY.public_key


def test_a_base_path_is_taken_off_as_a_whole_folder_only() -> None:
    auth = CredentialAuth(KEY, "https://example.com", "/prefix", clock=Clock(now=lambda: NOW))
    request = next(auth.auth_flow(httpx.Request("GET", "https://example.com/prefixed/api")))
    signed = message("GET", f"/prefixed/api?ts={NOW}")
    assert public_key_of(request.headers["Authorization"], signed) == KEY.public_key


@given(st.binary(max_size=64))
def test_a_signature_holds_for_its_message_only(data: bytes) -> None:
    token = KEY.sign(data)
    assert public_key_of(token, data) == KEY.public_key
    assert public_key_of(token, data + b" ") is None


@given(st.text(max_size=200))
@example(":")
@example("AAAA:AAAA")
def test_a_text_that_is_no_token_is_nobody_s(token: str) -> None:
    assert public_key_of(token, b"m") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-4],
        lambda token: f"{token}AAAA",
        lambda token: token.replace(":", ""),
        lambda token: token.replace(":", "=:"),
        lambda token: f"Bearer {token}",
        str.swapcase,
    ],
)
def test_a_token_that_was_changed_is_nobody_s(change: Callable[[str], str]) -> None:
    assert public_key_of(change(KEY.sign("m")), b"m") is None

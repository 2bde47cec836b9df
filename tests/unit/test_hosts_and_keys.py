"""Addresses and keys that are not what they should be, beyond what the reference was recorded with."""

from collections.abc import Callable

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_cli import DeviceKey, ModelRef, parse_host
from ollama_cli.credentials.device_key import KeyTextError
from ollama_cli.errors import UsageError
from ollama_cli.settings import Host, Settings
from ollama_cli.settings.hosts import is_loopback, origin_of


@pytest.mark.parametrize(
    "text",
    ["a b", "http://a\tb", "http://host\\@evil", "host?x=1", "host#x", "[nonsense]", "1:2:3", "[::1", "http://a@b"],
)
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_host(text)


@given(st.one_of(st.text(max_size=20), st.text(alphabet='a1.:[]%/@?#-+ \\"', max_size=12)))
@example("a[b")
@example("a]b:1")
@example("%")
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        url = parse_host(text)
    except UsageError:
        return
    assert url.startswith(("http://", "https://"))
    assert url.startswith(origin_of(url).partition("://")[0])
    assert not text.isascii() or httpx.URL(url).host  # which other letters a name may have is IDNA's to say


def test_a_bad_port_is_told() -> None:
    settings = Settings.from_environment({"OLLAMA_HOST": "box:99999"})
    assert settings.host == Host("http", "box", "11434", warning=settings.warnings[0])
    assert "99999" in settings.warnings[0]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ollama.com:443/x?y", "https://ollama.com"),
        ("HTTPS://Ollama.com", "https://ollama.com"),
        ("http://h:80", "http://h"),
        ("http://h:443", "http://h:443"),
        ("http://[::1]:11434/a", "http://[::1]:11434"),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["http://localhost", "http://LOCALHOST:1", "http://127.8.9.1", "https://[::1]:1"])
def test_this_machine_is_loopback(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    ["http://localhost.x", "http://127.0.0.1.x", "http://0.0.0.0", "http://127.1", "http://x#localhost", "x"],
)
def test_what_only_looks_like_this_machine_is_not_loopback(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize(
    ("text", "twin"),
    [("gpt-oss:120b", "gpt-oss:120b-cloud"), ("gpt-oss", "gpt-oss:cloud"), ("gpt-oss:cloud", "gpt-oss:cloud")],
)
def test_a_model_has_a_twin_in_the_cloud(text: str, twin: str) -> None:
    assert ModelRef.parse(text).cloud_twin == twin


def pem_of_another_kind() -> str:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def pem_of_another_form() -> str:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("garbage", "foreign"),
        (DeviceKey.generate().public_key, "foreign"),
        (pem_of_another_kind(), "foreign"),
        (pem_of_another_form(), "foreign"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", "corrupt"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "corrupt"),
    ],
    ids=["empty", "blank", "garbage", "public", "another kind", "another form", "damaged", "cut off"],
)
def test_a_text_that_is_no_device_key_says_what_it_is(text: str, reason: str) -> None:
    with pytest.raises(KeyTextError) as caught:
        DeviceKey.from_openssh(text)
    assert (caught.value.reason, caught.value.code, caught.value.status) == (reason, "bad_key", 2)


def test_a_key_that_needs_no_passphrase_is_read_with_one() -> None:
    key = DeviceKey.generate()
    assert DeviceKey.from_openssh(key.to_openssh().reveal(), "superfluous").public_key == key.public_key


@pytest.mark.parametrize("change", [lambda t: t.replace("\n", "\r\n"), lambda t: f"\n  {t}\n\n", str.strip])
def test_a_key_is_read_whatever_its_line_ends_and_the_space_around_it(change: Callable[[str], str]) -> None:
    key = DeviceKey.generate()
    assert DeviceKey.from_openssh(change(key.to_openssh().reveal())).public_key == key.public_key

"""A connect link is opened only where it leads to ollama.com/connect with one key."""

import json
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli import DeviceKey, signin_url
from ollama_cli.credentials.public_key import decode_public_key, encode_public_key
from ollama_cli.signing.connect_link import key_in

# Fixed keys, for they stand in the names of the tests.
_RECORDED = json.loads((Path(__file__).parents[1] / "data" / "vectors" / "keys.json").read_text(encoding="utf-8"))
KEY, OTHER = (DeviceKey.from_openssh(recorded["pem"]) for recorded in _RECORDED["keys"][:2])
K = KEY.encoded
GOOD = f"https://ollama.com/connect?name=pc&key={K}"

ACCEPTED = [
    GOOD,
    f"https://ollama.com/connect?key={K}",
    f"https://ollama.com/connect?key={K}&name=a%26key%3Dx",
    f"{GOOD}&launch=true",
    f"https://ollama.com/connect?name=pc&%6Bey={K}",
]

HOSTILE = [
    "",
    "connect",
    "/connect",
    "https://ollama.com",
    "https://ollama.com/connect",
    "https://ollama.com/connect?name=pc",
    "https://ollama.com/connect?name=pc&key=",
    "https://ollama.com/connect?name=pc&key=AAAA",
    GOOD.replace("https", "http"),
    GOOD.replace("https", "ftp"),
    GOOD.replace("https:", ""),
    GOOD.replace("https://", "https:/"),
    GOOD.replace("https://", "https:///"),
    GOOD.replace("https://", "https:\\\\"),
    GOOD.replace("https://", "javascript://"),
    GOOD.replace("https://", "file://"),
    GOOD.replace("ollama.com", "ollama.com:443"),
    GOOD.replace("ollama.com", "ollama.com:8443"),
    GOOD.replace("ollama.com", "ollama.com:"),
    GOOD.replace("ollama.com", "user@ollama.com"),
    GOOD.replace("ollama.com", "ollama.com@evil.example"),
    GOOD.replace("ollama.com", "user:pw@ollama.com"),
    GOOD.replace("ollama.com", "@ollama.com"),
    GOOD.replace("ollama.com", "OLLAMA.COM"),
    GOOD.replace("ollama.com", "Ollama.com"),
    GOOD.replace("ollama.com", "ollama.com."),
    GOOD.replace("ollama.com", "www.ollama.com"),
    GOOD.replace("ollama.com", "ollama.com.evil.example"),
    GOOD.replace("ollama.com", "evil-ollama.com"),
    GOOD.replace("ollama.com", "ollarna.com"),
    GOOD.replace("ollama.com", "ollam\u0430.com"),
    GOOD.replace("ollama.com", "xn--ollam-8ve.com"),
    GOOD.replace("ollama.com", "ollama%2ecom"),
    GOOD.replace("ollama.com", "ollama\uff0ecom"),
    GOOD.replace("ollama.com", "[::1]"),
    GOOD.replace("ollama.com", "[ollama.com"),
    GOOD.replace("ollama.com/", "ollama.com\\"),
    GOOD.replace("ollama.com/", "ollama.com\\@evil.example/"),
    GOOD.replace("ollama.com/", "evil.example\\@ollama.com/"),
    GOOD.replace("/connect", "/Connect"),
    GOOD.replace("/connect", "/connect/"),
    GOOD.replace("/connect", "//connect"),
    GOOD.replace("/connect", "/connect/../connect"),
    GOOD.replace("/connect", "/connect;x"),
    GOOD.replace("/connect", "/%63onnect"),
    GOOD.replace("/connect", "/settings"),
    GOOD.replace("connect?", "connect?next=/evil#"),
    f"{GOOD}#fragment",
    f"{GOOD}#",
    f"{GOOD}&key={OTHER.encoded}",
    f"{GOOD}&key={K}",
    f"{GOOD}&key=",
    f"{GOOD}&key",
    f"{GOOD}&%6bey={OTHER.encoded}",
    f"{GOOD};key={OTHER.encoded}",
    f"{GOOD}&a=1;key={OTHER.encoded}",
    f"{GOOD}&KEY={OTHER.encoded}",
    f"{GOOD}&key[]={OTHER.encoded}",
    f"{GOOD}&name=support",
    f"{GOOD}&launch=true&launch=true",
    GOOD.replace("pc", "p" * 2048),
    f"{GOOD}=",
    f"{GOOD}%00",
    f" {GOOD}",
    f"{GOOD} ",
    f"{GOOD}\n",
    GOOD.replace("pc", "p c"),
    GOOD.replace("pc", "p\tc"),
    GOOD.replace("ollama", "olla\nma"),
    GOOD.replace("ollama", "olla\tma"),
    GOOD.replace("ollama", "olla\u200bma"),
    GOOD.replace("pc", "p\x1b[2Jc"),
    GOOD.replace("pc", "p\x00c"),
    GOOD.replace("pc", "\u4e3b"),
    GOOD.replace(K, K[:-2]),
    GOOD.replace(K, K + "A"),
    GOOD.replace(K, encode_public_key(f"{KEY.public_key} comment")),
    GOOD.replace(K, encode_public_key(KEY.public_key.replace("ssh-ed25519", "ssh-rsa", 1))),
    GOOD.replace(K, quote(KEY.public_key)),
    GOOD.replace(K, encode_public_key(f"{KEY.public_key}=")),
    GOOD.replace(K, encode_public_key(KEY.public_key + "AA==")),
]


@pytest.mark.parametrize("link", ACCEPTED)
def test_a_link_to_the_connect_page_with_one_key_names_that_key(link: str) -> None:
    assert key_in(link) == KEY.public_key


@pytest.mark.parametrize("link", HOSTILE, ids=ascii)
def test_any_other_link_names_no_key(link: str) -> None:
    assert key_in(link) is None


@given(st.text(max_size=30))
def test_a_link_of_ours_is_always_one_that_may_be_opened(name: str) -> None:
    link = signin_url(name, KEY.public_key)
    assert key_in(link) == KEY.public_key
    query = parse_qs(urlsplit(link).query, keep_blank_values=True)
    assert query == {"name": [name], "key": [K]}


@given(st.text(alphabet=st.characters(), max_size=10))
def test_a_device_name_of_any_characters_makes_a_link(name: str) -> None:
    """A host name that is no UTF-8 reaches Python with surrogates in it."""
    link = signin_url(name, KEY.public_key)
    assert key_in(link) == KEY.public_key
    assert unquote(link.partition("name=")[2].partition("&")[0])[:1] == name.encode(errors="replace").decode()[:1]


@given(st.integers(0, len(GOOD)), st.text(alphabet="/\\@:#?&=;. \n%azA9", min_size=1, max_size=3))
def test_a_link_with_something_inserted_names_our_key_or_none(position: int, inserted: str) -> None:
    link = GOOD[:position] + inserted + GOOD[position:]
    assert key_in(link) in (None, KEY.public_key)
    if key_in(link) is not None:
        assert link.startswith("https://ollama.com/connect?")
        assert "#" not in link


@given(st.text(max_size=80))
def test_a_text_that_is_no_encoded_key_names_none(text: str) -> None:
    assert decode_public_key(text) is None


def test_an_encoded_key_names_its_line() -> None:
    assert decode_public_key(K) == KEY.public_key
    assert decode_public_key(K + "=") is None

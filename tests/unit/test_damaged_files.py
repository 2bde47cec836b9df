"""Whatever stands in the files that are kept, or given: it is read, or is an error of ours, and is left as it is."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import run_here
from mutations import damaged, examples, failure_of, odd_texts, written
from support import Cli

from ollama_cli import DeviceKey
from ollama_cli.api.durations import parse_duration
from ollama_cli.chat.entry.history import PrivateHistory
from ollama_cli.credentials.device_key import KeyTextError
from ollama_cli.credentials.key_form import kept_form
from ollama_cli.credentials.key_rounds import rounds_of
from ollama_cli.credentials.listing import parse_listing, text_of_listing
from ollama_cli.errors import UsageError
from ollama_cli.secret import Secret
from ollama_cli.serve.token import kept_token
from ollama_cli.settings import Settings

CLOUD = "http://127.0.0.1:9"
KEY = DeviceKey.generate()
OTHER = DeviceKey.generate()
LISTED: dict[str, Any] = {
    "version": 2,
    "current_profile": "work",
    "secrets": [
        {
            "profile": "ci",
            "origin": CLOUD,
            "kind": "api_key",
            "store": "file",
            "created_at": 1763883600,
            "last_used_at": 1763883600,
        }
    ],
    "credentials": [
        {
            "profile": "default",
            "origin": CLOUD,
            "store": "file",
            "public_key": KEY.public_key,
            "created_at": 1763883600,
            "signed_in_at": 1763883600,
            "shared_with": "ollama",
            "last_used_at": None,
            "role": "current",
            "slot": 1,
            "account": None,
        },
        {
            "profile": "work",
            "origin": "https://example.com:443",
            "store": "file",
            "public_key": OTHER.public_key,
            "created_at": 1763883600,
            "role": "new",
            "slot": 2,
            "account": "ada",
        },
    ],
}
OFFLINE = [
    ["keys", "list"],
    ["keys", "list", "--json"],
    ["keys", "show"],
    ["profile", "list"],
    ["profile", "list", "--json"],
    ["profile", "use", "default"],
    ["profile", "remove", "work", "--yes", "--local-only"],
    ["signout", "--local-only"],
    ["--profile", "ci", "status"],
    ["keys", "export", "-o", "-", "--yes"],
]


# The list of credentials


@examples(200)
@given(written(LISTED))
def test_a_list_of_credentials_is_read_whole_or_refused(content: bytes) -> None:
    try:
        listing = parse_listing(content)
    except ValueError:
        return
    again = parse_listing(text_of_listing(listing).encode())
    assert (again.profiles, again.current) == (listing.profiles, listing.current)
    assert [record.entry for record in again.records] == [record.entry for record in listing.records]


@pytest.mark.parametrize("origin", ["http://\ud800", "http://a\x1b]52;c;aGFjaw==\x07", "http://\u202e"])
def test_an_origin_that_could_name_no_file_or_drive_a_terminal_is_none(origin: str) -> None:
    listed = {**LISTED, "credentials": [{**LISTED["credentials"][0], "origin": origin}]}
    with pytest.raises(ValueError, match=r"^$"):
        parse_listing(json.dumps(listed).encode())


@pytest.mark.parametrize("command", OFFLINE, ids=" ".join)
def test_no_list_of_credentials_makes_a_command_fail_in_an_unexpected_way(
    tmp_path_factory: pytest.TempPathFactory, command: list[str]
) -> None:
    @examples(3)
    @given(written(LISTED))
    def check(content: bytes) -> None:
        device = Cli(tmp_path_factory.mktemp("home"), {"OLLAMA_CLOUD_BASE_URL": CLOUD})
        folder = device.home / "state" / "data"
        (folder / "keys").mkdir(parents=True)
        key = folder / "keys" / f"default@{CLOUD.replace(':', '%3A').replace('/', '%2F')}"
        key.write_text(KEY.to_openssh().reveal())
        listed = folder / "credentials.json"
        listed.write_bytes(content)
        done = run_here(device.environment, *command)
        assert "unexpected" not in done.said
        assert "that should not" not in done.said
        if done.status == 9:
            assert listed.read_bytes() == content
            assert key.exists()

    check()


# Keys


def armoured(data: bytes) -> str:
    text = b64encode(data).decode()
    lines = [text[start : start + 70] for start in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----"])


def in_armour(text: str) -> bytes:
    return b64decode("".join(text.split("\n")[1:-2]))


PLAIN = in_armour(KEY.to_openssh().reveal())
ENCRYPTED = in_armour(KEY.to_openssh("secret").reveal())


def test_a_key_that_would_take_years_to_open_is_refused_at_once() -> None:
    at = ENCRYPTED.index(b"bcrypt") + 30  # behind the salt
    assert rounds_of(KEY.to_openssh("secret").reveal()) == 16
    for passphrase in (None, "secret"):
        with pytest.raises(KeyTextError, match="4278190096 rounds"):
            DeviceKey.from_openssh(armoured(ENCRYPTED[:at] + b"\xff" + ENCRYPTED[at + 1 :]), passphrase)


@examples(100)
@given(
    st.sampled_from([PLAIN, ENCRYPTED]).flatmap(damaged).map(armoured)
    | damaged(armoured(ENCRYPTED).encode()).map(lambda content: content.decode("utf-8", "surrogateescape"))
    | odd_texts,
    st.sampled_from([None, "secret", "another", "\ud800", "\0", "x" * 2000]),
)
def test_whatever_stands_for_a_key_is_one_or_none(text: str, passphrase: str | None) -> None:
    def read() -> None:
        key = DeviceKey.from_openssh(text, passphrase)
        assert DeviceKey.from_openssh(kept_form(key, Secret(text)).reveal(), passphrase).public_key == key.public_key

    error = failure_of(read)
    assert error is None or error.code == "bad_key"


# What else is read


@examples(50)
@given(st.binary(max_size=80) | damaged(b"an-own-token-of-32-letters-or-more\n"))
def test_a_token_of_our_own_is_one_that_can_be_sent_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "serve-token"
    path.write_bytes(content)
    path.chmod(0o600)

    def read() -> None:
        token = kept_token(path).reveal()
        assert token.isascii()
        assert token.isprintable()

    error = failure_of(read)
    assert error is None or error.code == "bad_token"
    assert path.read_bytes() == content


@examples(50)
@given(st.binary(max_size=80) | damaged(b"\n# 2026-11-01 12:00:00.1\n+a line\n+and another\n\n# x\n+\xff\n"))
def test_whatever_stands_in_the_history_a_chat_begins(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "history"
    path.write_bytes(content)
    history = PrivateHistory(path, enabled=True)
    assert all(isinstance(line, str) for line in history.load_history_strings())


@examples(50)
@given(written({"disable_ollama_cloud": True, "more": {"a": 1}}))
def test_whatever_stands_in_an_installed_ollama_s_settings_they_are_read_or_left(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    home = tmp_path_factory.getbasetemp()
    (home / ".ollama").mkdir(exist_ok=True)
    (home / ".ollama" / "server.json").write_bytes(content)
    told = Settings.from_environment({"HOME": str(home)}).no_cloud
    assert told is None or "server.json" in told


@examples(100)
@given(odd_texts, st.sampled_from(["OLLAMA_HOST", "OLLAMA_CLOUD_BASE_URL", "OLLAMA_CLI_PROFILE", "OLLAMA_CLI_HOME"]))
def test_whatever_stands_in_a_variable_it_is_read_or_refused(text: str, name: str) -> None:
    error = failure_of(lambda: Settings.from_environment({name: text, "OLLAMA_ORIGINS": text, "OLLAMA_MODELS": text}))
    assert error is None or isinstance(error, UsageError)


@examples(100)
@given(st.text("0123456789.hmsuµn+- ") | odd_texts)
def test_whatever_is_given_for_a_duration_is_one_or_refused(text: str) -> None:
    read: list[int] = []
    if failure_of(lambda: read.append(parse_duration(text))) is None:
        assert abs(read[0]) < 2**63


@pytest.mark.parametrize("text", ["9" * 5000 + "s", "." + "0" * 5000 + "1s", "1." + "9" * 5000 + "ns"])
def test_a_duration_of_thousands_of_digits_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)

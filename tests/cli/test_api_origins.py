"""Attempts to have ``api`` send a credential to another server than its own, or in the clear.

Every https server of the world is on loopback here, with certificates that the command trusts, so nothing but the
command itself keeps a credential back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from intercepting_proxy import Interception, intercepting
from stub_server import Answer, Received, StubServer, stub_server
from support import Cli

from ollama_cli import DeviceKey

pytestmark = pytest.mark.forked

CLOUD = "ollama.com:443"
NAMES = ["ollama.com", "*.ollama.com", "evil.example", "*.evil.example", "ollama.com.evil.example"]
API_KEY = "an-api-key-of-some-length"
KEY = DeviceKey.generate()
CREDENTIALS = {
    "API key": {"OLLAMA_API_KEY": API_KEY},
    "device key": {"OLLAMA_CLI_KEY": KEY.to_openssh().reveal()},
    "key file": {},
}
REDIRECTS = [
    "https://evil.example/api/me",
    "//evil.example/api/me",
    "http://ollama.com/api/me",
    "https://ollama.com/api/tags",
    "/api/tags",
]


def good(_: str, __: Received) -> Answer:
    return 200, {}, b"{}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Interception]:
    with intercepting(tmp_path, NAMES, good) as seen:
        yield seen


@pytest.fixture
def elsewhere() -> Iterator[StubServer]:
    """A server for plain http: a proxy for every http address, and a daemon."""
    with stub_server(lambda _: (200, {}, b"{}")) as server:
        yield server


def call(cli: Cli, credential: str, *args: str, **environment: str) -> tuple[int, str]:
    """Run ``api`` with a credential; its status, and what it printed."""
    (cli.home / "key").write_text(KEY.to_openssh().reveal())
    before = ["--insecure-storage", *(["--key-file", str(cli.home / "key")] if credential == "key file" else [])]
    done = cli(*before, "api", *args, "--json", env={**CREDENTIALS[credential], **environment})
    assert API_KEY not in done.stdout + done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/api/me",
        "//evil.example/api/me",
        "///evil.example/api/me",
        "https://ollama.com.evil.example/api/me",
        "https://ollama.com@evil.example/api/me",
        "https://www.ollama.com/api/me",
        "https://ollama.com:8443/api/me",
        "http://ollama.com/api/me",
        "http://evil.example/api/me",
        "http://ollama.com:443/api/me",
    ],
)
def test_an_address_elsewhere_gets_nothing(
    cli: Cli, world: Interception, elsewhere: StubServer, credential: str, address: str
) -> None:
    environment = {**world.environment, "HTTP_PROXY": elsewhere.url}
    status, told = call(cli, credential, "POST", address, **environment)
    assert (status, json.loads(told)["error"]["code"]) == (1, "refused")
    assert (world.received, elsewhere.received) == ([], [])


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_what_only_looks_like_an_address_is_a_path_of_the_place(cli: Cli, world: Interception, credential: str) -> None:
    paths = ["@evil.example/a", ".evil.example/a", ":443@evil.example/a", "https:/evil.example/a"]
    for path in (*paths, "HTTPS://OLLAMA.COM:443/a", "https://ollama.com//evil.example/a"):
        assert call(cli, credential, "POST", path, **world.environment)[0] == 0
    assert [server for server, _ in world.received] == [CLOUD] * 6
    targets = [request.target.partition("?")[0] for _, request in world.received]
    assert targets == [*(f"/{path}" for path in paths), "/a", "/evil.example/a"]  # the server takes one slash off
    for _, request in world.received:
        assert request.headers["host"] == "ollama.com"
        assert "authorization" in request.headers
        assert credential == "API key" or request.public_key == KEY.public_key


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("credential", ["API key", "device key"])
def test_no_redirect_is_followed(cli: Cli, tmp_path: Path, credential: str, status: int) -> None:
    left = list(REDIRECTS)
    with (
        intercepting(tmp_path, NAMES, lambda *_: (status, {"Location": left.pop(0)}, b"")) as seen,
        stub_server(lambda _: (200, {}, b"{}")) as clear,
    ):
        for _ in REDIRECTS:
            ended, told = call(cli, credential, "GET", "/api/me", **seen.environment, HTTP_PROXY=clear.url)
            assert (ended, json.loads(told)["error"]["code"]) == (7, "redirect")
    assert [(server, request.target.partition("?")[0]) for server, request in seen.received] == [
        (CLOUD, "/api/me")
    ] * len(REDIRECTS)
    assert clear.received == []


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Bearer mine",
        "authorization:mine",
        "AUTHORIZATION:",
        "Authorization : mine",
        "Host: evil.example",
        "host:evil.example",
        "Proxy-Authorization: Basic mine",
        "Transfer-Encoding: chunked",
        "Content-Length: 5",
        "Connection: upgrade",
        "Upgrade: websocket",
        "X: a\r\nHost: evil.example",
        "X: a\nAuthorization: mine",
    ],
    ids=ascii,
)
def test_a_header_that_the_credential_depends_on_is_refused(cli: Cli, world: Interception, header: str) -> None:
    assert call(cli, "API key", "GET", "/api/me", "-H", header, **world.environment)[0] == 2
    assert world.received == []


@pytest.mark.parametrize(
    ("credential", "host", "auth"),
    [
        ("key file", "http://box.example:11434", ""),
        ("device key", "http://box.example:11434", "1"),
        ("API key", "http://box.example:11434", "1"),
        ("API key", "http://ollama.com", ""),
        ("API key", "http://OLLAMA.COM:443", "1"),
        ("API key", "http://127.0.0.1.evil.example", "1"),
        ("API key", "http://localhost.evil.example", "1"),
    ],
)
def test_no_credential_goes_in_the_clear(
    cli: Cli, elsewhere: StubServer, credential: str, host: str, auth: str
) -> None:
    environment = {"OLLAMA_HOST": host, "OLLAMA_AUTH": auth, "HTTP_PROXY": elsewhere.url}
    status, told = call(cli, credential, "GET", "/api/tags", **environment)
    assert (status, json.loads(told.splitlines()[-1])["error"]["code"]) == (1, "refused")
    assert elsewhere.received == []


def test_a_daemon_in_the_clear_is_asked_without_a_credential(cli: Cli, elsewhere: StubServer) -> None:
    environment = {"OLLAMA_HOST": "http://box.example:11434", "HTTP_PROXY": elsewhere.url}
    assert call(cli, "API key", "GET", "/api/tags", **environment)[0] == 0
    assert call(cli, "device key", "GET", "http://box.example:11434/api/tags", **environment)[0] == 0
    assert ["authorization" in request.headers for request in elsewhere.received] == [False, False]


@pytest.mark.parametrize("credential", ["API key", "device key"])
def test_the_environment_s_credential_goes_to_no_daemon(cli: Cli, elsewhere: StubServer, credential: str) -> None:
    for args in (("GET", "/a"), ("GET", f"{elsewhere.url}/a"), ("--local", "GET", "/a")):
        assert call(cli, credential, *args, OLLAMA_HOST=elsewhere.url)[0] == 0
    assert ["authorization" in request.headers for request in elsewhere.received] == [False] * 3


def test_a_key_file_goes_where_its_command_goes(cli: Cli, elsewhere: StubServer) -> None:
    assert call(cli, "key file", "GET", "/a", OLLAMA_HOST=elsewhere.url)[0] == 0
    assert elsewhere.received[0].public_key == KEY.public_key


def test_with_cloud_disabled_nothing_is_sent(cli: Cli, world: Interception) -> None:
    for args in (("GET", "/a"), ("--cloud", "GET", "https://ollama.com/a")):
        assert call(cli, "API key", *args, **world.environment, OLLAMA_NO_CLOUD="1")[0] == 5
    assert world.received == []

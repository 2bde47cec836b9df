"""Who is answered: hosts, pages, tokens, and requests that two servers could read in two ways."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import httpx
import pytest
from scripted_server import DONE, ScriptedServer, plain
from serve_process import MODEL, Serve, serve_process
from support import AS_A_USER, COMMAND, SECONDS, Cli, needs_a_user

QUESTION = json.dumps({"model": MODEL, "prompt": "hi"}).encode()
EVERYWHERE = "0.0.0.0"  # noqa: S104 - which is refused, or asks for a token
TOKEN = "a-token-that-nobody-guesses"


def ask(serve: Serve, path: str = "/api/generate", method: str = "POST", **headers: str) -> httpx.Response:
    with serve.client() as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.request(method, path, content=QUESTION, headers=named)


def raw(serve: Serve, head: str, body: bytes = b"") -> bytes:
    """The answer to a head as it is written, without the lines that end it."""
    return serve.raw(head.replace("\n", "\r\n").encode("latin-1") + b"\r\nConnection: close\r\n\r\n" + body)


def status(answer: bytes) -> int:
    return int(answer.split()[1])


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:11434", "127.1.2.3", "[::1]", "[::1]:80", "[0:0:0:0:0:0:0:1]"],
)
def test_names_of_this_machine_are_answered(gateway: Serve, host: str) -> None:
    assert status(raw(gateway, f"GET / HTTP/1.1\nHost: {host}")) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.localhost",
        "localhost.",
        "127.0.0.1.evil.example",
        "127.0.0.1.",
        EVERYWHERE,
        "[::]",
        "169.254.169.254",
        "192.168.0.1",
        "machine.local",
        "user@localhost",
        "localhost@evil.example",
        "localhost:80@evil.example",
        "localhost:80:80",
        "localhost:",
        "localhost:99999999",
        "localhost/",
        "localhost#",
        "localhost,evil.example",
        "0x7f.1",
        "2130706433",
        "[::1",
        "::1",
        "[::ffff:192.168.0.1]",
        "[::1%25eth0]",
        "xn--localhost-",
        "",
    ],
)
def test_other_hosts_are_refused(gateway: Serve, cloud: ScriptedServer, host: str) -> None:
    answer = raw(gateway, f"POST /api/generate HTTP/1.1\nContent-Length: {len(QUESTION)}\nHost: {host}", QUESTION)
    assert status(answer) == 403
    assert not cloud.seen


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("GET / HTTP/1.1", 400),
        ("GET / HTTP/1.0", 403),
        ("GET / HTTP/1.1\nHost: localhost\nHost: evil.example", 400),
        ("GET / HTTP/1.1\nHost: localhost\nX: a\x00b", 400),
        ("GET / HTTP/1.1\nHost: localhost\n folded: yes", 403),
        ("GET http://localhost/api/tags HTTP/1.1\nHost: localhost", 404),
        ("GET http://evil.example/ HTTP/1.1\nHost: localhost", 404),
        ("CONNECT evil.example:443 HTTP/1.1\nHost: localhost", 404),
        ("OPTIONS * HTTP/1.1\nHost: localhost", 204),
        ("TRACE / HTTP/1.1\nHost: localhost", 405),
        ("GET / HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: eA==", 200),
        ("PRI * HTTP/2.0", 403),
        ("GET /" + "a" * 9000 + " HTTP/1.1\nHost: localhost", 414),
        ("GET / HTTP/1.1\nHost: localhost\nX: " + "a" * 33000, 431),
    ],
    ids=lambda value: str(value)[:40],
)
def test_odd_heads(gateway: Serve, head: str, expected: int) -> None:
    assert status(raw(gateway, head)) == expected


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(QUESTION), QUESTION)


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (f"Content-Length: {len(CHUNKED)}\nTransfer-Encoding: chunked", CHUNKED),
        ("Transfer-Encoding: chunked\nContent-Length: 3", CHUNKED),
        ("Content-Length: 3\nContent-Length: 4", QUESTION),
        ("Content-Length: -1", QUESTION),
        ("Content-Length: 0x10", QUESTION),
        ("Content-Length: 1_0", QUESTION),
        ("Transfer-Encoding: gzip, chunked", CHUNKED),
        ("Transfer-Encoding: xchunked", CHUNKED),
        ("Transfer-Encoding: chunked\nTransfer-Encoding: identity", CHUNKED),
        ("Transfer-Encoding : chunked", CHUNKED),
    ],
)
def test_a_body_whose_end_can_be_read_in_two_ways_is_refused(
    gateway: Serve, cloud: ScriptedServer, lines: str, body: bytes
) -> None:
    second = b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = f"POST /api/generate HTTP/1.1\nHost: localhost\n{lines}".replace("\n", "\r\n").encode()
    answer = gateway.raw(head + b"\r\n\r\n" + body + second)
    assert 400 <= status(answer) <= 501
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not cloud.seen


ALLOWED = [
    "http://localhost",
    "https://localhost:3000",
    "http://127.0.0.1:5173",
    "http://0.0.0.0:80",
    "app://obsidian.md",
    "tauri://localhost",
    "vscode-webview://1a2b",
    "vscode-file://vscode-app",
    "file://",
    "http://localhost:8080",
]
REFUSED = [
    "null",
    "https://evil.example",
    "http://localhost.evil.example",
    "http://localhost:3000.evil.example",
    "http://localhost:",
    "http://evil.example:11434",
    "http://user@localhost",
    "https://localhost/path",
    "chrome-extension://abc",
    "app://x/../y",
    "",
]


@pytest.mark.parametrize("origin", ALLOWED)
def test_pages_of_this_machine_may_ask(gateway: Serve, cloud: ScriptedServer, origin: str) -> None:
    cloud.answers(plain(DONE, "200 OK", "Access-Control-Allow-Origin: *", "Set-Cookie: a=b"))
    answer = ask(gateway, origin=origin, referer=f"{origin}/page", sec_fetch_site="same-site")
    assert answer.status_code == 200
    assert answer.headers.get_list("access-control-allow-origin") == [origin]
    assert answer.headers["vary"] == "Origin"
    assert "set-cookie" not in answer.headers
    names = {name for name, _ in cloud.one.headers}
    assert not names & {"origin", "referer", "sec-fetch-site"}  # which page asks is told to nobody


@pytest.mark.parametrize("origin", REFUSED)
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "GET"])
def test_other_pages_are_refused(gateway: Serve, cloud: ScriptedServer, origin: str, method: str) -> None:
    answer = ask(gateway, origin=origin, method=method, access_control_request_method="POST")
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert not cloud.seen


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/me"),
        ("POST", "/api/signout"),
        ("DELETE", "/api/user/keys/abc"),
        ("OPTIONS", "/api/me"),
        ("OPTIONS", "/api/user/keys/abc"),
        ("POST", "/api%2Fme"),
        ("POST", "/api/%6de"),
    ],
)
def test_no_page_at_all_learns_of_the_account(gateway: Serve, cloud: ScriptedServer, method: str, path: str) -> None:
    assert ask(gateway, path, method, origin="http://localhost:3000").status_code == 403
    assert not cloud.seen


def test_pages_and_hosts_that_were_let_in(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    device.environment["OLLAMA_ORIGINS"] = "'https://*.example, chrome-extension://*'"
    with serve_process(device, "--allow-host", "Gateway.Example", "--allow-host", "fd00::1") as serve:
        for origin in ("https://app.example", "chrome-extension://abc", "http://localhost:1"):
            assert ask(serve, origin=origin).status_code == 200
        for origin in ("https://example", "https://a.example.evil", "https://a/.example", "http://a.example", "null"):
            assert ask(serve, origin=origin).status_code == 403
        for host in ("gateway.example", "gateway.EXAMPLE:80", "[fd00::1]", "localhost"):
            assert ask(serve, host=host).status_code == 200
        for host in ("a.gateway.example", "gateway.example.", "evil.example"):
            assert ask(serve, host=host).status_code == 403
        assert ask(serve, host="gateway.example", origin="https://gateway.example").status_code == 200
        assert ask(serve, host="gateway.example", origin="https://gateway.example:1").status_code == 403
        serve.hears("Refused a request to the host 'evil.example'; --allow-host")
        assert serve.text.count("'evil.example'") == 1  # told once
        serve.hears("Refused a request from the page 'null'; OLLAMA_ORIGINS")


def test_every_page_where_the_environment_says_so(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    device.environment["OLLAMA_ORIGINS"] = "*"
    with serve_process(device) as serve:
        assert ask(serve, origin="https://evil.example").status_code == 200
        assert ask(serve, "/api/me", origin="https://evil.example").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "//api/chat",
        "/api//chat",
        "/api/../api/chat",
        "/./api/chat",
        "/api/%2e%2e/api/chat",
        "/api/chat/%2e",
        "/api%2fchat",
        "/api%5cchat",
        "/api\\chat",
        "/api/chat%00",
        "/api/chat/",
        "/api/chat;x",
        "/api/chat%3Fx",
        "/API/chat",
        "/api/%ff",
        "/v1/models/../../api/me:cloud",
        "/v1/models/%2e%2e/%2e%2e/api/me:cloud",
        "/v1/models/..%2f..%2fapi%2fme:cloud",
        "/v1/models/a//b:cloud",
        "/v1/models/a%0d%0aX:b:cloud",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_no_other_spelling_of_a_path_is_signed(gateway: Serve, cloud: ScriptedServer, path: str, method: str) -> None:
    body = f"{method} {path} HTTP/1.1\nHost: localhost\nContent-Length: {len(QUESTION)}"
    assert status(raw(gateway, body, QUESTION)) in {404, 405}
    assert not cloud.seen


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/v1/models/a:cloud", "/v1/models/a"),
        ("/v1/models/me/a:cloud", "/v1/models/me/a"),
        ("/v1/models/me%2Fa:cloud", "/v1/models/me/a"),
        ("/v1/models/a%3Fb%23%20c:cloud", "/v1/models/a%3Fb%23%20c"),
        ("/v1/models/a%252e:cloud", "/v1/models/a%252e"),
    ],
)
def test_a_model_in_a_path_is_asked_for_under_its_name(
    gateway: Serve, cloud: ScriptedServer, path: str, sent: str
) -> None:
    cloud.answers(plain(b"{}"))
    assert ask(gateway, path, "GET").status_code == 200
    assert cloud.one.path == sent
    assert cloud.one.signer


def test_a_query_is_signed_as_it_is_sent(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    assert ask(gateway, "/api/generate?b=%0d%0aX:%20y&ts=1&a=%C3%A9&a=1&c").status_code == 200
    path, _, query = cloud.one.target.partition("?")
    assert query.startswith("a=%C3%A9&a=1&b=%0D%0AX%3A+y&c=&ts=17")
    assert (path, cloud.one.signer is not None) == ("/api/generate", True)


def test_what_a_client_brings_for_others_goes_nowhere(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    ask(
        gateway,
        authorization="Bearer secret",
        x_api_key="secret",
        api_key="secret",
        cookie="secret",
        proxy_authorization="secret",
        connection="keep-alive, X-Hop",
        x_hop="secret",
        te="trailers",
        upgrade="h2c",
        keep_alive="timeout=1",
        x_ollama_client_version="secret",
        x_forwarded_host="secret",
        x_http_method_override="secret",
        x_original_url="secret",
        forwarded="secret",
        x_custom="kept",
        user_agent="a program",
    )
    sent = {name: value for name, value in cloud.one.headers if name not in {"host", "content-length", "content-type"}}
    assert sent.pop("authorization").startswith("AAAA")
    assert sent.pop("x-ollama-client-version")
    assert {name: sent[name] for name in ("x-custom", "user-agent")} == {"x-custom": "kept", "user-agent": "a program"}
    assert not {"x-hop", "te", "upgrade", "keep-alive", "x-api-key", "cookie", "connection"} & sent.keys()
    assert "secret" not in str(sent)


# Tokens and sockets


def test_a_token_is_asked_of_every_client(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    with serve_process(device, "--token-file", "-", stdin=f"{TOKEN}\n".encode()) as serve:
        for path, method in (("/", "GET"), ("/api/tags", "GET"), ("/api/generate", "POST"), ("/nope", "GET")):
            refused = ask(serve, path, method)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert "its own token" in ask(serve, "/v1/chat/completions").json()["error"]["message"]
        for brought in ("Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer x {TOKEN}"):
            assert ask(serve, authorization=brought).status_code == 401, brought
        assert not [seen for seen in cloud.seen if seen.path != "/api/me"]
        assert ask(serve, authorization=f"Bearer {TOKEN}").status_code == 200
        assert ask(serve, authorization=f"bearer {TOKEN}").status_code == 200
        assert ask(serve, x_api_key=TOKEN).status_code == 200
        assert TOKEN not in str([seen.headers for seen in cloud.seen])
        page = {"origin": "http://localhost:3000", "access_control_request_method": "POST"}
        assert ask(serve, method="OPTIONS", **page).status_code == 204  # a browser asks without it
        assert ask(serve, **page).status_code == 401
    assert TOKEN not in serve.text


def test_a_token_is_made_and_kept_for_its_owner_alone(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    with serve_process(device, "--token") as serve:
        path = Path(serve.hears(r"The token is in (\S+)")[1])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        token = path.read_text(encoding="utf-8").strip()
        assert len(token) > 40
        assert ask(serve, authorization=f"Bearer {token}").status_code == 200
        assert token not in serve.text
    with serve_process(device, "--token") as serve:
        assert ask(serve, authorization=f"Bearer {token}").status_code == 200
    device.environment["OLLAMA_CLI_SERVE_TOKEN"] = TOKEN
    with serve_process(device, "--token") as serve:
        assert ask(serve, authorization=f"Bearer {TOKEN}").status_code == 200
        assert ask(serve, authorization=f"Bearer {token}").status_code == 401


def test_a_token_that_others_could_have_put_there_is_not_used(cli: Cli) -> None:
    folder = Path(cli.environment["OLLAMA_CLI_HOME"]) / "data"
    folder.mkdir(parents=True)
    kept = folder / "serve-token"
    kept.write_text(TOKEN, encoding="utf-8")
    for path, mode in ((kept, 0o666), (folder, 0o777)):
        kept.chmod(0o600)
        path.chmod(mode)
        done = cli("serve", "--port", "0", "--token", "--json")
        error = json.loads(done.stderr)["error"]
        assert (error["code"], str(path) in error["message"]) == ("store_unsafe", True)


@needs_a_user
def test_a_token_in_a_folder_that_is_shut_is_told(cli: Cli) -> None:
    folder = Path(cli.environment["OLLAMA_CLI_HOME"]) / "data"
    folder.mkdir(parents=True)
    folder.chmod(0o200)
    command = [*AS_A_USER, COMMAND, "serve", "--port", "0", "--token", "--json"]
    done = subprocess.run(command, env=cli.environment, capture_output=True, text=True, check=False)
    folder.chmod(0o700)
    assert json.loads(done.stderr)["error"]["code"] == "store_unavailable"


@pytest.mark.parametrize("token", ["", "short", "x" * 5000, "two words are no token", "no-lëtter-of-a-header"])
def test_a_token_that_cannot_be_one_is_refused(cli: Cli, token: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token, encoding="utf-8")
    done = cli("serve", "--port", "0", "--token-file", str(tmp_path / "token"))
    assert (done.returncode, "holds no token" in done.stderr) == (2, True)
    assert token not in done.stderr or not token


def test_a_token_that_standard_input_does_not_bring_is_none(cli: Cli) -> None:
    closed = subprocess.run(
        ["sh", "-c", '"$0" serve --port 0 --token-file - <&-', COMMAND],
        env=cli.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (closed.returncode, "Standard input holds no token" in closed.stderr) == (2, True), closed.stderr


def test_a_socket_is_its_owners_alone(device: Cli, cloud: ScriptedServer, tmp_path: Path) -> None:
    cloud.answers(plain(DONE))
    path = tmp_path / "socket"
    with serve_process(device, "--socket", str(path)) as serve:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert ask(serve).status_code == 200
        assert ask(serve, host="whatever").status_code == 200  # no page gets here
        assert ask(serve, origin="https://evil.example").status_code == 403
        again = device("serve", "--socket", str(path))
        assert (again.returncode, "answers at" in again.stderr) == (2, True)
        serve.process.kill()
        serve.process.wait()
    assert path.exists()
    with serve_process(device, "--socket", str(path)) as serve:  # what a killed one left behind is no hindrance
        assert ask(serve).status_code == 200
    assert not path.exists()
    path.write_text("a file", encoding="utf-8")
    assert "is no socket" in device("serve", "--socket", str(path)).stderr
    assert path.read_text(encoding="utf-8") == "a file"


def test_another_address_needs_a_token(device: Cli, cloud: ScriptedServer) -> None:
    refused = device("serve", "--host", EVERYWHERE, "--port", "0", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stderr.splitlines()[-1])["error"]["code"] == "token_needed"
    cloud.answers(plain(DONE))
    device.environment["OLLAMA_CLI_SERVE_TOKEN"] = TOKEN
    with serve_process(device, "--host", EVERYWHERE, "--token", "--allow-host", "gateway.example") as serve:
        serve.hears(rf"Listening at {serve.url}, and at every other address of this machine\n")
        brings = {"authorization": f"Bearer {TOKEN}"}
        assert ask(serve, **brings).status_code == 200
        assert ask(serve, host="gateway.example", **brings).status_code == 200
        assert ask(serve, host="evil.example", **brings).status_code == 403
        assert ask(serve, host="gateway.example").status_code == 401

"""``api``: any request goes out as it was written, and its answer comes back as it is."""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from in_thread import in_thread
from scripted_server import Seen
from streaming_server import streaming_server
from support import COMMAND, SECONDS, Cli, Sandbox
from terminals import finish, pexpect_child, printed, screen

EVERY_BYTE = bytes(range(256)) * 300
ENOUGH = 160 * 1024 * 1024
"""Bytes of a body that is larger than the memory which a command is given."""

Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Echo:
    """A server that keeps requests, and what makes it ollama.com's stand-in."""

    environment: dict[str, str]
    got: list[Seen] = field(default_factory=list)


@contextmanager
def answering(*replies: Reply) -> Iterator[Echo]:
    """Answer requests of any method, one after the other; the last answer is every further one's."""
    echo = Echo({"OLLAMA_API_KEY": "an-api-key-of-some-length"})
    left = list(replies)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            echo.got.append(
                Seen(self.command, self.path, [(name.lower(), value) for name, value in self.headers.items()], body)
            )
            status, headers, content = left.pop(0) if len(left) > 1 else left[0]
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the library
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    echo.environment["OLLAMA_CLOUD_BASE_URL"] = f"http://127.0.0.1:{listening.server_address[1]}"
    with in_thread(listening):
        yield echo


def raw_run(cli: Cli, *args: str, env: Mapping[str, str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command, and keep its output as bytes."""
    environment = cli.environment | dict(env)
    return subprocess.run(
        [COMMAND, *args], input=stdin, capture_output=True, env=environment, timeout=SECONDS, check=False
    )


def ok(content: object, kind: str = "application/json") -> Reply:
    return 200, {"Content-Type": kind}, content if isinstance(content, bytes) else json.dumps(content).encode()


# What is sent


@pytest.mark.parametrize("method", ["get", "Delete", "PATCH", "propfind"])
def test_method_path_and_query_go_out_as_written(cli: Cli, method: str) -> None:
    with answering(ok({})) as server:
        assert cli("api", method, "api/a%2Fb?x=1&y=%20", env=server.environment).returncode == 0
    (request,) = server.got
    assert (request.method, request.target) == (method.upper(), "/api/a%2Fb?x=1&y=%20")
    assert request.header("accept") == "*/*"
    assert request.header("content-type") is None
    assert request.header("authorization") == "Bearer an-api-key-of-some-length"


def test_a_device_key_signs_what_is_sent(signed_in: Cli, sandbox: Sandbox) -> None:
    done = signed_in("api", "POST", "/api/me?b=2&a=1&ts=7")
    assert done.returncode == 0
    assert json.loads(done.stdout)["name"]
    sent = sandbox.requests()[-1]
    assert sent["headers"]["authorization"] == "signed"
    assert re.fullmatch(r"/api/me\?a=1&b=2&ts=\d{10}", sent["target"])


def test_fields_make_a_json_body(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("Several\nlines\n")
    fields = ["-F", "model=tiny", "-F", "stream=false", "-F", f"prompt=@{tmp_path / 'prompt.txt'}", "-f", "suffix=1"]
    with answering(ok({})) as server:
        assert cli("api", "POST", "/api/generate", *fields, "-Foptions[seed]=7", env=server.environment).returncode == 0
    (request,) = server.got
    assert request.header("content-type") == "application/json"
    assert json.loads(request.body) == {
        "model": "tiny",
        "stream": False,
        "prompt": "Several\nlines",
        "suffix": "1",
        "options": {"seed": 7},
    }


@pytest.mark.parametrize("kind", ["text", "file", "stdin", "stdin by @-", "field from stdin"])
def test_a_body_is_sent_as_it_is(cli: Cli, tmp_path: Path, kind: str) -> None:
    body = b"{ not json\t }" if kind in {"text", "field from stdin"} else EVERY_BYTE
    file = tmp_path / "body"
    file.write_bytes(body)
    data = {"text": body.decode("latin-1"), "file": f"@{file}", "stdin": "-", "stdin by @-": "@-"}
    args = ["-F", "a=@-"] if kind == "field from stdin" else ["-d", data[kind]]
    with answering(ok({})) as server:
        done = raw_run(cli, "api", "PUT", "/x", *args, "-H", "Content-Type: a/b", env=server.environment, stdin=body)
    assert done.returncode == 0
    (request,) = server.got
    assert request.body == (json.dumps({"a": body.decode()}).encode() if kind == "field from stdin" else body)
    assert [value for name, value in request.headers if name.lower() == "content-type"] == ["a/b"]


def test_headers_go_along(cli: Cli) -> None:
    headers = [
        "-H",
        "X-One: a: b ",
        "-H",
        "X-Two:1",
        "-H",
        "X-Two:2",
        "-H",
        "Accept: text/plain",
        "-H",
        "User-Agent: me",
    ]
    with answering(ok({})) as server:
        assert cli("api", "GET", "/", *headers, env=server.environment).returncode == 0
    (request,) = server.got
    assert request.header("x-one") == "a: b"
    assert [value for name, value in request.headers if name.lower() == "x-two"] == ["1", "2"]
    assert (request.header("accept"), request.header("user-agent")) == ("text/plain", "me")


def test_what_is_sent_in_a_try_after_the_first_is_whole(cli: Cli, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(EVERY_BYTE * 20)
    assert body.stat().st_size > 1024 * 1024
    busy: Reply = (429, {"Retry-After": "0"}, b'{"error":"too many concurrent requests"}')
    with answering(busy, ok({})) as server:
        piped = raw_run(cli, "api", "PUT", "/x", "-d", "-", env=server.environment, stdin=body.read_bytes())
        from_file = raw_run(cli, "api", "PUT", "/x", "-d", f"@{body}", env=server.environment)
    assert (piped.returncode, from_file.returncode) == (0, 0)
    assert [request.body == body.read_bytes() for request in server.got] == [True] * 3


def test_a_post_that_may_have_been_carried_out_is_not_repeated(cli: Cli) -> None:
    with answering((502, {}, b"{}")) as server:
        assert cli("api", "POST", "/api/create", "-d", "{}", env=server.environment).returncode == 7
    assert len(server.got) == 1


# What comes back


@pytest.mark.parametrize("body", [EVERY_BYTE, b'{"a":1}', b" [1,\r\n2]", b"", b"no line end"], ids=ascii)
def test_a_pipe_gets_the_body_unchanged(cli: Cli, body: bytes) -> None:
    with answering(ok(body)) as server:
        done = raw_run(cli, "api", "GET", "/x", env=server.environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, body, b"")


def test_status_and_headers_on_request(cli: Cli) -> None:
    reply: Reply = (201, {"X-Token": "not an-api-key-of-some-length!", "X-Two": "b"}, b"body")
    with answering(reply) as server:
        done = cli("api", "-i", "GET", "/x", env=server.environment)
        head = cli("api", "--include", "HEAD", "/x", env=server.environment)
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-2:]) == ("HTTP/1.1 201 Created", ["", "body"])
    assert "x-token: not [hidden]!" in [line.lower() for line in lines]
    assert "an-api-key" not in done.stdout
    assert head.stdout.splitlines()[:-1] == lines[:-2]


def test_a_terminal_is_shown_json_laid_out_and_nothing_that_drives_it(cli: Cli) -> None:
    with answering(ok(b'{"a":[1,"\\u001b[2J\xc2\x9b\xe2\x80\xaeb"]}'), ok(b"text\x1b[2J\x1b]0;title\x07!")) as server:
        device = Cli(cli.home, server.environment)
        laid_out = pexpect_child(device, "api", "GET", "/x")
        assert finish(laid_out)[0] == 0
        text = pexpect_child(device, "api", "GET", "/x")
        assert finish(text)[0] == 0
    display = [line.rstrip() for line in screen(printed(laid_out), 24, 80).display]
    assert display[:3] == ["{", '  "a": [', "    1,"]
    assert "text!" in printed(text)
    for sequence in ("\x1b[2J", "\x9b", "\u202e", "\x1b]"):
        assert sequence not in printed(laid_out) + printed(text)


def test_a_terminal_is_shown_as_it_came_what_would_be_another_value(cli: Cli) -> None:
    with answering(ok(b'{"a": 1e999}')) as server:
        child = pexpect_child(Cli(cli.home, server.environment), "api", "GET", "/x")
        assert finish(child)[0] == 0
    assert '{"a": 1e999}' in printed(child)


def test_a_terminal_is_told_of_bytes_that_are_no_text(cli: Cli) -> None:
    with answering(ok(EVERY_BYTE)) as server:
        child = pexpect_child(Cli(cli.home, server.environment), "api", "GET", "/x")
        assert finish(child)[0] == 0
    assert f"{len(EVERY_BYTE)} bytes that are no text" in printed(child)
    assert "\x01" not in printed(child)


@pytest.mark.parametrize("marked", [True, False], ids=["by its type", "with --stream"])
@pytest.mark.parametrize("at_terminal", [True, False], ids=["terminal", "pipe"])
def test_lines_of_a_stream_come_one_by_one(cli: Cli, marked: bool, at_terminal: bool) -> None:
    args = ["api", "POST", "/api/generate", "-d", "{}", *([] if marked else ["--stream"])]
    kind = b"application/x-ndjson" if marked else b"text/event-stream"
    with streaming_server() as server:
        device = Cli(cli.home, server.environment)
        child = pexpect_child(device, *args) if at_terminal else None
        process = None if at_terminal else device.start(*args)
        with server.request() as exchange:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n" % kind
            exchange.connection.sendall(head)
            for number in range(3):  # the next is sent once this one was seen
                exchange.say(f"piece {number}")
                if child is not None:
                    child.expect(f"piece {number}")
                elif process is not None and process.stdout is not None:
                    assert f"piece {number}" in process.stdout.readline()
            exchange.finish()
        if child is not None:
            assert finish(child)[0] == 0
        elif process is not None:
            assert process.communicate()[0].count("\n") == 1
            assert process.returncode == 0


def under_limit(cli: Cli, *args: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command in a shell that gives it too little memory to hold the body."""
    limited = f'ulimit -d {ENOUGH // 1024 // 2}; exec {COMMAND} "$@"'
    return subprocess.run(
        ["bash", "-c", limited, "bash", *args],
        capture_output=True,
        text=True,
        env=cli.environment | dict(env),
        timeout=SECONDS,
        check=False,
    )


def test_a_large_body_takes_no_memory(cli: Cli) -> None:
    with streaming_server() as server:
        sent = threading.Thread(target=_send_much, args=(server,))
        sent.start()
        done = under_limit(cli, "api", "POST", "/x", "-d", "{}", env=server.environment)
        sent.join()
    assert (done.returncode, len(done.stdout)) == (0, ENOUGH), done.stderr


def _send_much(server: object) -> None:
    with server.request() as exchange:  # type: ignore[attr-defined]
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {ENOUGH}\r\nConnection: close\r\n\r\n"
        exchange.connection.sendall(head.encode())
        piece = b"x" * 1024 * 1024
        for _ in range(ENOUGH // len(piece)):
            exchange.connection.sendall(piece)


def test_a_large_file_is_sent_without_memory(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "blob"
    file.touch()
    os.truncate(file, ENOUGH)
    with answering((201, {}, b"")) as server:
        done = under_limit(cli, "api", "POST", "/api/blobs/sha256:0", "-d", f"@{file}", env=server.environment)
    assert done.returncode == 0, done.stderr
    (request,) = server.got
    assert len(request.body) == ENOUGH


# What goes wrong


ERRORS: dict[str, tuple[Reply, int, str]] = {
    "400": ((400, {}, b'{"error":"no"}'), 2, "bad_request"),
    "401": ((401, {}, b'{"error":"unauthorized","more":1}'), 4, "api_key_refused"),
    "403": ((403, {}, b'{"error":"this needs a subscription"}'), 5, "forbidden"),
    "404 of a model": ((404, {}, b'{"error":"model \'tiny\' not found"}'), 3, "model_not_found"),
    "404 of a path": ((404, {}, b"404 page not found"), 2, "bad_request"),
    "405": ((405, {}, b"405 method not allowed"), 2, "bad_request"),
    "410": ((410, {}, b'{"error":"retired"}'), 3, "model_retired"),
    "429": ((429, {}, b'{"error":"you reached your weekly usage limit"}'), 6, "limit_reached"),
    "500": ((500, {}, b'{"error":"broken"}'), 7, "server_error"),
    "302": ((302, {"Location": "/elsewhere"}, b"moved"), 7, "redirect"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_has_its_status_and_its_body_is_printed(cli: Cli, case: str) -> None:
    reply, status, code = ERRORS[case]
    with answering(reply) as server:
        done = cli("api", "POST", "/api/show", "-F", "model=tiny", "--json", env=server.environment)
        included = cli("api", "-i", "POST", "/api/show", "-F", "model=tiny", env=server.environment)
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"], done.stdout.encode()) == (status, code, reply[2])
    assert included.stdout.startswith(f"HTTP/1.1 {reply[0]} ")
    assert included.stdout.encode().endswith(b"\n" + reply[2])
    assert len(server.got) == 2


def test_a_terminal_is_told_an_error_once(cli: Cli) -> None:
    with answering((400, {}, b'{"error":"no such thing"}')) as server:
        child = pexpect_child(Cli(cli.home, server.environment), "api", "GET", "/x")
        assert finish(child)[0] == 2
    assert printed(child).count("no such thing") == 1


def test_an_error_that_repeats_the_credential_does_not_get_it_printed(cli: Cli) -> None:
    with answering((400, {}, b'\xff{"error":"bad an-api-key-of-some-length."}')) as server:
        done = raw_run(cli, "api", "GET", "/x", env=server.environment)
    assert done.stdout == b'\xff{"error":"bad [hidden]."}'
    assert b"an-api-key" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"response":"a","done":false}\n', 8),
        (b'{"response":"a","done":false}\n{"error":"it broke"}\n', 8),
        (b'{"response":"a","done":false}\n{"error":"usage limit reached"}\n', 6),
        (b'{"response":"a","done":false}\n{"response":"","done":true}\n', 0),
    ],
    ids=["no end", "error", "limit", "whole"],
)
def test_a_stream_that_goes_wrong_is_printed_and_has_its_status(cli: Cli, content: bytes, status: int) -> None:
    with answering(ok(content, "application/x-ndjson; charset=utf-8")) as server:
        done = raw_run(cli, "api", "POST", "/api/generate", "-d", "{}", env=server.environment)
    assert (done.returncode, done.stdout) == (status, content)


def test_a_body_that_is_cut_off_is_printed_and_told(cli: Cli) -> None:
    with answering((200, {"Content-Length": "1000", "Connection": "close"}, b"the beginning")) as server:
        done = raw_run(cli, "api", "GET", "/x", "--json", env=server.environment)
    assert (done.returncode, done.stdout) == (8, b"the beginning")
    assert json.loads(done.stderr)["error"]["code"] == "answer_incomplete"


def test_nobody_is_signed_in(device: Cli) -> None:
    done = device("--insecure-storage", "api", "POST", "/api/me", "--json")
    assert done.returncode == 4
    assert json.loads(done.stderr)["error"]["signin_url"].startswith(device.environment["OLLAMA_CLOUD_BASE_URL"])
    assert json.loads(done.stdout)["error"] == "unauthorized"


def test_the_sandbox_approves_and_only_the_answer_is_printed(cli: Cli) -> None:
    done = cli("--sandbox", "api", "POST", "/api/me")
    assert done.returncode == 0
    assert json.loads(done.stdout)["name"] == "sandbox"


@pytest.mark.parametrize(
    "args",
    [
        ("GE T", "/x"),
        ("CONNECT", "/x"),
        ("trace", "/x"),
        ("GET", "/a b"),
        ("GET", "/x", "-H", "no colon"),
        ("GET", "/x", "-H", "a b: c"),
        ("GET", "/x", "-H", "a: b\r\nHost: evil.example"),
        ("GET", "/x", "-H", "a: \u00e9"),
        ("GET", "/x", "-H", ": b"),
        ("GET", "/x", "--cloud", "--local"),
        ("POST", "/x", "-d", "a", "-F", "a=b"),
        ("POST", "/x", "-d", "@no-such-file"),
        ("POST", "/x", "-F", "a=@no-such-file"),
        ("POST", "/x", "-F", "no equals sign"),
        ("GET", f"/{'x' * 70_000}"),
    ],
    ids=lambda args: ascii(" ".join(args))[:40],
)
def test_a_mistake_is_told_before_anything_is_sent(cli: Cli, args: tuple[str, ...]) -> None:
    with answering(ok({})) as server:
        done = cli("api", *args, env=server.environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert server.got == []


def test_the_sandbox_has_no_local_server(cli: Cli) -> None:
    assert cli("--sandbox", "api", "--local", "GET", "/x").returncode == 2


def test_local_is_the_daemon_whatever_else_is_set(cli: Cli) -> None:
    with answering(ok({"models": []})) as daemon:
        url = daemon.environment["OLLAMA_CLOUD_BASE_URL"]
        done = cli("api", "--local", "GET", "/api/tags", env={"OLLAMA_HOST": url, "OLLAMA_API_KEY": "key"})
        assert (done.returncode, done.stdout) == (0, '{"models": []}')
    (request,) = daemon.got
    assert request.header("authorization") is None
    gone = cli("api", "--local", "GET", "/api/tags", "--json", env={"OLLAMA_HOST": url})
    assert (gone.returncode, json.loads(gone.stderr)["error"]["code"]) == (7, "no_daemon")
    assert re.search(r"ollama serve", gone.stderr)

"""What becomes of a request's body: its model, its compression, its size, and where it goes."""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_server import DONE, ScriptedServer, Seen, chunk, everything, head, plain, scripted_server
from serve_process import MODEL, Serve, serve_process
from support import Cli

from ollama_cli.serve.bodies import Shelf
from ollama_cli.serve.model_field import find_model, replaced
from ollama_cli.serve.refusals import RefusedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

QUESTION = json.dumps({"model": MODEL, "prompt": "hi"}).encode()


def ask(serve: Serve, body: Any, path: str = "/api/generate", method: str = "POST", **headers: str) -> httpx.Response:
    with serve.client() as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.request(method, path, content=body, headers=named)


# The model, and the bytes around it


def found(body: bytes) -> str:
    return find_model(bytearray(body)).text


def after(body: bytes, model: str = "NEW") -> bytes:
    """The body with another model."""
    content = bytearray(body)
    return b"".join(replaced(content, find_model(content), model))


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{"model":"a"}', b'{"model":"NEW"}'),
        (b' {\n"x" : 1 ,"model"\t:\r"a" , "y":[ ]} ', b' {\n"x" : 1 ,"model"\t:\r"NEW" , "y":[ ]} '),
        (b'{"m\\u006fdel":"\\u0061"}', b'{"m\\u006fdel":"NEW"}'),
        (b'{"MODEL":"a"}', b'{"MODEL":"NEW"}'),
        (
            b'{"x":{"model":"b"},"model":"a","y":[{"model":"c"}]}',
            b'{"x":{"model":"b"},"model":"NEW","y":[{"model":"c"}]}',
        ),
        (b'{"x":"\\"model\\":\\"b\\"","model":"a"}', b'{"x":"\\"model\\":\\"b\\"","model":"NEW"}'),
        (b'{"x":"}]\\\\","model":"a","y":-1.50e+3}', b'{"x":"}]\\\\","model":"NEW","y":-1.50e+3}'),
        (b'{"x":"\xff\xfe","model":"a"}', b'{"x":"\xff\xfe","model":"NEW"}'),
        (b'{"x":"\\ud83d","model":"a"}', b'{"x":"\\ud83d","model":"NEW"}'),
        (b'{"x":[[[[[1]]]],{"y":[{}]}],"model":"a"}', b'{"x":[[[[[1]]]],{"y":[{}]}],"model":"NEW"}'),
        (b'{"models":"b","model":"a","mode":"c","":"d"}', b'{"models":"b","model":"NEW","mode":"c","":"d"}'),
        (b'{"model%s":"b","model":"a"}' % (b"l" * 99), b'{"model%s":"b","model":"NEW"}' % (b"l" * 99)),
    ],
)
def test_only_the_model_is_replaced(body: bytes, sent: bytes) -> None:
    assert (found(body), after(body)) == ("a", sent)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"model":"a","model":"b"}', "more than once"),
        (b'{"model":"a","m\\u006Fdel":"b"}', "more than once"),
        (b'{"model":"a","Model":"b"}', "more than once"),
        (b'{"model":"a","x":1,"mODEL":null}', "more than once"),
        (b'{"model":["a"]}', "not a string"),
        (b'{"model":1}', "not a string"),
        (b'{"model":"%s"}' % (b"a" * 2000), "too long"),
        (b'{"model":"a"}{"model":"b"}', "invalid character '{' after top-level value"),
        (b'{"model":"a"}\x00', "invalid character '\\x00' after top-level value"),
        (b'{"model":"a",}', "invalid character '}' looking for beginning of object key string"),
        (b'{"model":"a" "x":1}', "invalid character '\"' after object key:value pair"),
        (b'{"model" "a"}', "invalid character '\"' after object key"),
        (b'{"x":[1 2]}', "invalid character '2' after array element"),
        (b'{"x":nul}', "looking for beginning of value"),
        (b'{"x":NaN}', "looking for beginning of value"),
        (b"{'model':'a'}", "invalid character ''' looking for beginning of object key string"),
        (b'{"x":"\\q"}', "in string escape code"),
        (b'{"x":01}', "in numeric literal"),
        (b'{"x":"a\nb"}', "invalid character"),
        (b'{"model":"a"', "unexpected EOF"),
        (b'{"model":"a', "unexpected EOF"),
        (b"", "missing request body"),
        (b" \n", "missing request body"),
        (b'["model"]', "not a JSON object"),
        (b'"model"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{" + b'"a":1,' * 20_000 + b'"model":"a"}', "too many parts"),
        (b'{"a":[' + b"[[[[[1]]]]]," * 400_000 + b'1],"model":"a"}', "too many parts"),
        (b'\xef\xbb\xbf{"model":"a"}', "invalid character"),
        ('{"model":"a"}'.encode("utf-16"), "invalid character"),
        (b'{"x":' * 200_000 + b"1" + b"}" * 200_000, "exceeded max depth"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_is_malformed_or_can_be_read_in_two_ways_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        find_model(bytearray(body))
    assert refused.value.status == 400
    assert why in refused.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    before=st.dictionaries(st.text(), json_values),
    behind=st.dictionaries(st.text(), json_values),
    model=st.text(min_size=1, max_size=20).filter(str.strip),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
@settings(max_examples=80, deadline=None)
def test_whatever_stands_around_the_model_stays(
    before: dict[str, Any], behind: dict[str, Any], model: str, ascii_only: bool, indent: int | None
) -> None:
    fields = {**before, "model": model, **behind, "model": model}  # noqa: F601 - the last counts
    fields = {key: value for key, value in fields.items() if key == "model" or key.lower() != "model"}
    text = json.dumps(fields, ensure_ascii=ascii_only, indent=indent)
    body = text.encode("utf-8", "surrogatepass" if ascii_only else "replace")
    assert found(body) == json.loads(body)["model"].strip()
    assert json.loads(after(body)) == {**json.loads(body), "model": "NEW"}


@given(st.text(alphabet='{}[]":,\\ "modelMODELu0061a1', max_size=40))
@settings(max_examples=300, deadline=None)
def test_what_is_found_is_what_any_parser_finds(text: str) -> None:
    pairs: list[tuple[str, Any]] = []

    def outermost(members: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = members  # the outermost object is read to its end last
        return dict(members)

    try:
        content = json.loads(text, object_pairs_hook=outermost)
    except ValueError:
        content = None
    try:
        model = found(text.encode())
    except RefusedError:
        return
    assert isinstance(content, dict)
    named = [value for key, value in pairs if key.lower() == "model"]
    assert [model] == [(value or "").strip() for value in named] or (not named and not model)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (None, "application/json"),
        ("application/x-www-form-urlencoded", "application/json"),  # what `curl -d` says of everything
        ("application/json; charset=utf-8", "application/json; charset=utf-8"),
    ],
)
def test_a_body_that_was_read_as_json_is_sent_as_json(
    gateway: Serve, cloud: ScriptedServer, said: str | None, sent: str
) -> None:
    cloud.answers(plain(DONE))
    assert ask(gateway, QUESTION, **({} if said is None else {"Content_Type": said})).status_code == 200
    assert [value for name, value in cloud.one.headers if name == "content-type"] == [sent]


def test_a_name_is_a_model_too_where_details_are_asked_for(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(plain(b"{}"))
    for body in (b'{"name":"a:cloud"}', b'{"model":"","name":"a:cloud"}', b'{"name":"a:cloud","model":"a:cloud"}'):
        assert ask(gateway, body, "/api/show").status_code == 200
    bodies = [seen.body for seen in cloud.seen]
    assert bodies == [b'{"name":"a"}', b'{"model":"","name":"a"}', b'{"name":"a:cloud","model":"a"}']
    told = ask(gateway, b'{"model":"a:cloud","name":"b:cloud"}', "/api/show")
    assert (told.status_code, told.json()["error"]) == (400, 'the fields "model" and "name" name two models')
    assert ask(gateway, b'{"name":"a:cloud"}', "/api/chat").json() == {"error": "model is required"}
    assert len(cloud.seen) == 3


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/api/generate", b'{"model":"tiny"}', 404, "model 'tiny' not found"),
        ("/api/generate", b'{"model":"gpt-oss:120b"}', 404, "model 'gpt-oss:120b' not found"),
        ("/api/generate", b'{"model":"gpt-oss:120b:local"}', 404, "model 'gpt-oss:120b:local' not found"),
        ("/api/generate", b'{"prompt":"x"}', 404, "model '' not found"),
        ("/api/generate", b'{"model":":cloud"}', 404, "model ':cloud' not found"),
        ("/api/chat", b"{}", 400, "model is required"),
        ("/api/show", b"{}", 400, "model is required"),
        ("/api/embeddings", b'{"model":" "}', 400, "model is required"),
        ("/v1/chat/completions", b'{"model":"tiny"}', 404, "model 'tiny' not found"),
        ("/v1/messages", b'{"model":"tiny"}', 404, "model 'tiny' not found"),
        ("/v1/embeddings", b'{"model":', 400, "unexpected EOF"),
        ("/api/web_search", b" ", 400, "missing request body"),
    ],
)
def test_what_is_not_the_clouds_is_refused(
    gateway: Serve, cloud: ScriptedServer, path: str, body: bytes, status: int, error: str
) -> None:
    told = ask(gateway, body, path)
    content = told.json()["error"]
    assert (told.status_code, content if isinstance(content, str) else content["message"]) == (status, error)
    assert not cloud.seen


@pytest.mark.parametrize("path", ["/api/pull", "/api/ps", "/api/blobs/sha256:0", "/v1/audio/transcriptions"])
def test_what_only_an_ollama_server_does_is_refused_with_the_way_to_one(gateway: Serve, path: str) -> None:
    assert "--daemon" in str(ask(gateway, b"{}", path).json()["error"])
    assert ask(gateway, b"{}", path).status_code == 404


@pytest.mark.parametrize("path", ["/api/web_search", "/api/web_fetch"])
@pytest.mark.parametrize("prefix", ["/api/", "/api/experimental/"])
def test_the_web_is_asked_as_the_body_says(gateway: Serve, cloud: ScriptedServer, path: str, prefix: str) -> None:
    cloud.answers(plain(b'{"results":[]}'))
    body = b'{"query":"x", "max_results":3, "model": "whatever" }'
    assert ask(gateway, body, path.replace("/api/", prefix)).json() == {"results": []}
    assert (cloud.one.path, cloud.one.body) == (path, body)
    assert cloud.one.signer


# Bodies


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity", "GZIP", ""])
def test_a_compressed_body_goes_on_unpacked(gateway: Serve, cloud: ScriptedServer, encoding: str) -> None:
    cloud.answers(plain(DONE))
    packed = QUESTION
    if encoding in {"gzip", "GZIP", "zstd"}:
        packed = zstd.compress(QUESTION) if encoding == "zstd" else gzip.compress(QUESTION)
    assert ask(gateway, packed, content_encoding=encoding).status_code == 200
    assert cloud.one.json == {"model": "gpt-oss:120b", "prompt": "hi"}
    assert cloud.one.header("content-encoding") is None
    assert cloud.one.header("content-length") == str(len(cloud.one.body))


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", QUESTION, 400),
        ("gzip", gzip.compress(QUESTION)[:-9], 400),
        ("gzip", gzip.compress(QUESTION) + b"x", 400),
        ("gzip", b"", 400),
        ("zstd", QUESTION, 400),
        ("zstd", zstd.compress(QUESTION)[:-3], 400),
        ("br", QUESTION, 415),
        ("gzip, gzip", gzip.compress(gzip.compress(QUESTION)), 415),
        ("deflate", QUESTION, 415),
        ("gzip", gzip.compress(b" " * 140_000_000), 413),
        ("zstd", zstd.compress(b" " * 140_000_000), 413),
        (
            "zstd",
            zstd.compress(QUESTION + b" " * 40_000_000, options={zstd.CompressionParameter.window_log: 27}),
            400,
        ),
    ],
    ids=[
        "no gzip",
        "a cut gzip",
        "more than a gzip",
        "no zip at all",
        "no zstd",
        "a cut zstd",
        "br",
        "twice",
        "deflate",
        "a gzip bomb",
        "a zstd bomb",
        "a zstd with a large window",
    ],
)
def test_a_compressed_body_that_is_damaged_or_huge_is_refused(
    gateway: Serve, cloud: ScriptedServer, encoding: str, body: bytes, status: int
) -> None:
    told = ask(gateway, body, content_encoding=encoding)
    assert told.status_code == status
    assert status != 400 or told.json()["error"] == "failed to decompress request body"
    assert not cloud.seen


def test_a_hundred_million_bytes_are_held_once(gateway: Serve, cloud: ScriptedServer) -> None:
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], gateway.resident())

    def script(_: Seen, connection: socket.socket) -> None:
        connection.sendall(head())
        assert looked.wait(30)
        connection.sendall(chunk(DONE) + chunk(b""))

    looked = threading.Event()
    cloud.script = script
    size = 100_000_000
    start, end = b'{"images":["', b'"],"model":"a:cloud"}'
    before = gateway.resident()
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        with gateway.connect() as connection:
            connection.sendall(b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
            connection.sendall(b"Content-Length: %d\r\n\r\n" % (len(start) + size + len(end)) + start)
            for _ in range(100):
                connection.sendall(b"A" * 1_000_000)
            connection.sendall(end)
            assert connection.recv(12) == b"HTTP/1.1 200"
            assert gateway.resident() - before < 0.5 * size  # it is forgotten once it was sent, however long the answer
            looked.set()
            assert everything(connection).endswith(DONE + b"\r\n0\r\n\r\n")
    finally:
        looked.set()
        done.set()
        watching.join()
    sent = cloud.one.body
    assert len(sent) == len(start) + size + len(end) - len(":cloud")
    assert (sent[:20], sent[-15:]) == (start + b"A" * 8, b'"],"model":"a"}')
    assert peak[0] - before < 1.6 * size


def test_a_body_in_chunks_after_a_hundred_continue(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    with gateway.connect() as connection:
        connection.sendall(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n")
        connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        for at in range(0, len(QUESTION), 7):
            part = QUESTION[at : at + 7]
            connection.sendall(b"%x;ext=1\r\n%s\r\n" % (len(part), part))
        connection.sendall(b"0\r\nTrailer: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert cloud.one.json["model"] == "gpt-oss:120b"
    assert cloud.one.header("expect") is None


def test_a_refused_request_is_not_asked_to_continue(gateway: Serve) -> None:
    head = b"POST /api/chat HTTP/1.1\r\nHost: evil.example\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
    with gateway.connect() as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 403 ")


def test_a_body_that_nobody_wants_is_not_read_without_end(gateway: Serve, cloud: ScriptedServer) -> None:
    for path, method in (("/api/version", "GET"), ("/api/me", "POST")):
        assert ask(gateway, b"x" * (1024 * 1024 + 1), path, method).status_code == 413
    assert not cloud.seen


def test_all_bodies_together_have_an_end() -> None:
    shelf = Shelf(10)
    with shelf.holding() as first:
        first.add(b"123456")
        with shelf.holding() as second, pytest.raises(RefusedError) as refused:
            second.add(b"12345")
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
        first.let_go()
        with shelf.holding() as second:
            second.add(b"1234567890")
    with shelf.holding() as third:
        third.add(b"1234567890")


def test_too_large_a_body_is_refused_before_it_comes(gateway: Serve) -> None:
    with gateway.connect() as connection:
        connection.sendall(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


# A daemon behind


def test_everything_else_goes_to_the_daemon_without_any_credential(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    with scripted_server() as daemon, serve_process(device, "--daemon", daemon.url) as serve:
        daemon.answers(plain(b"daemon", "201 Created", "X-Own: 1", "Set-Cookie: a=b", "Connection: X-Own"))
        brought = {"authorization": "Bearer secret", "cookie": "secret", "origin": "http://localhost:3000"}
        local = b' {"model":"tiny","unknown": 1}'
        asked = [
            ("POST", "/api/generate?b=%20&a=1", local),
            ("POST", "/v1/chat/completions", local),
            ("POST", "/api/chat", b"{}"),
            ("POST", "/api/pull", b'{"model":"gpt-oss:120b-cloud"}'),
            ("GET", "/api/ps", None),
            ("GET", "/api/version", None),
            ("GET", "/api/chat", None),
            ("PUT", "/whatever/%C3%A9", b"x"),
            ("GET", "/v1/models/tiny", None),
            ("DELETE", "/api/delete", b'{"model":"x"}'),
            ("HEAD", "/api/blobs/sha256:0", None),
        ]
        for method, path, body in asked:
            told = ask(serve, body, path, method, **brought)
            assert (told.status_code, told.content) == (201, b"" if method == "HEAD" else b"daemon")
            assert not {"x-own", "set-cookie"} & told.headers.keys()
        assert [(seen.method, seen.target, seen.body or None) for seen in daemon.seen] == asked
        assert "secret" not in str(daemon.seen)
        ours = daemon.seen[0].header("via")
        assert ours is not None
        for way in (ours, f"1.0 proxy, {ours}", f"{ours.upper()} ,1.1 proxy"):  # a proxy writes them into one header
            assert ask(serve, None, "/api/ps", "GET", via=way).status_code == 508, way
        del daemon.seen[len(asked) :]
        assert not [seen for seen in daemon.seen if seen.header("authorization") or seen.header("origin")]
        assert not [seen for seen in cloud.seen if seen.path != "/api/me"]
        daemon.answers(plain(b"", "301 Moved", "Location: /elsewhere"))
        moved = ask(serve, None, "/api/ps/", "GET")
        assert (moved.status_code, moved.headers["location"]) == (301, "/elsewhere")
        daemon.answers(plain(b""))
        assert ask(serve, QUESTION).content == DONE  # and the cloud's models still go to the cloud
        assert not daemon.seen
        for path, method in (("/api/me", "GET"), ("/api/signout", "GET"), ("/api/user/keys/x", "POST")):
            assert ask(serve, None, path, method).status_code == 405  # the account is never the daemon's
        assert serve.raw(b"GET /api/../x HTTP/1.0\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 404")
        assert not daemon.seen


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_no_other_spelling_of_a_path_gets_to_the_daemon(device: Cli, method: str) -> None:
    with scripted_server() as daemon, serve_process(device, "--daemon", daemon.url) as serve:
        for path in (
            "/v1/models/../../api/signout",
            "/v1/models/%2e%2e/%2e%2e/api/signout",
            "/v1/models/..%2f..%2fapi%2fsignout",
            "/v1/models/a/../../../api/user/keys/x",
            "/v1/models/%ff",
            "/%ff",
            "/x/../api/signout",
            "/x/%2e%2e/api/signout",
            "//api/signout",
            "/api%2fsignout",
            "/api/signout%00",
            "http://localhost/api/signout",
        ):
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
            assert serve.raw(head.encode()).startswith((b"HTTP/1.1 404", b"HTTP/1.1 405")), path
        assert not [seen for seen in daemon.seen if seen.path != "/api/tags"]


def test_a_model_is_uploaded_to_the_daemon_as_it_comes(device: Cli, cloud: ScriptedServer) -> None:
    first, goes_on = threading.Event(), threading.Event()

    def script(seen: Seen, connection: socket.socket) -> None:
        connection.sendall(plain(b"%d" % len(seen.body)))

    with scripted_server() as daemon, serve_process(device, "--daemon", daemon.url) as serve:
        daemon.script = script

        def parts() -> Any:
            for _ in range(40):
                yield b"x" * 1_000_000
            first.set()
            assert goes_on.wait(30)
            yield b"end"

        before = serve.resident()
        answers: list[str] = []
        uploading = threading.Thread(target=lambda: answers.append(ask(serve, parts(), "/api/blobs/sha256:0").text))
        uploading.start()
        assert first.wait(30)
        assert serve.resident() - before < 15_000_000
        goes_on.set()
        uploading.join(30)
        assert answers == ["40000003"]


def test_both_lists_in_one(device: Cli, cloud: ScriptedServer) -> None:
    def theirs(seen: Seen, connection: socket.socket) -> None:
        models = [{"name": "a:1b", "model": "a:1b", "size": 1}, {"name": "b"}, {"name": "x:local"}, {"name": 1}, 2]
        models.append({"name": "x:local:cloud"})
        data = [{"id": "a:1b", "owned_by": "library"}, {"id": "b"}]
        lists = {"/api/tags": {"models": models}, "/v1/models": {"data": data}}
        if seen.header("authorization") is None and seen.path == "/v1/models":
            connection.sendall(plain(b"{}", "401 Unauthorized"))
        else:
            connection.sendall(plain(json.dumps(lists[seen.path]).encode()))

    with scripted_server() as daemon, serve_process(device, "--daemon", daemon.url) as serve:
        cloud.script = theirs
        daemon.answers(
            plain(b'{"models":[{"name":"tiny","size":2},{"name":"b:cloud"}],"data":[{"id":"tiny"},{"id":"b:cloud"}]}')
        )
        tags = ask(serve, None, "/api/tags", "GET").json()["models"]
        assert [model["name"] for model in tags] == ["tiny", "b:cloud", "a:1b-cloud", "1:cloud"]
        assert (tags[2]["remote_model"], tags[2]["size"], tags[2]["model"]) == ("a:1b", 1, "a:1b-cloud")
        models = ask(serve, None, "/v1/models", "GET").json()
        assert models["object"] == "list"
        assert models["data"] == [{"id": "tiny"}, {"id": "b:cloud"}, {"id": "a:1b-cloud", "owned_by": "library"}]
        assert ask(serve, None, "/api/tags", "HEAD").content == b""
        cloud.answers(plain(b"not a list"))
        assert [model["name"] for model in ask(serve, None, "/api/tags", "GET").json()["models"]] == ["tiny", "b:cloud"]
        daemon.answers(b"")
        cloud.script = theirs
        assert len(ask(serve, None, "/api/tags", "GET").json()["models"]) == 3
        cloud.answers(b"")
        assert ask(serve, None, "/api/tags", "GET").status_code == 502
        cloud.answers(plain(b'{"models":[{"name":"a","size":NaN}]}'))
        assert ask(serve, None, "/api/tags", "GET").status_code == 502
        assert not [seen for seen in daemon.seen if seen.header("authorization")]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://localhost", "--daemon has the scheme"),
        ("http://user:secret@localhost", "--daemon holds a user name"),
        ("https://ollama.com", "of yours"),
        ("http://localhost:999999", "the port of no server"),
        ("http://local host", "--daemon holds characters"),
    ],
)
def test_a_daemon_that_cannot_be_one(cli: Cli, url: str, why: str) -> None:
    done = cli("serve", "--port", "0", "--daemon", url)
    assert (done.returncode, why in done.stderr) == (2, True)
    assert "secret" not in done.stderr


def test_a_server_is_not_its_own_daemon(device: Cli, gateway: Serve) -> None:
    port = gateway.url.rpartition(":")[2]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = str(free.getsockname()[1])
    done = device("serve", "--port", own, "--daemon", f"http://localhost:{own}")
    assert (done.returncode, "this very server" in done.stderr) == (2, True)
    with serve_process(device, "--daemon", f"http://127.0.0.1:{port}") as serve:  # another one may be
        assert ask(serve, None, "/", "GET").text == "Ollama is running"


def test_servers_that_name_each_other_do_not_go_round_in_circles(device: Cli) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with (
        serve_process(device, "--daemon", f"http://127.0.0.1:{port}") as first,
        serve_process(device, "--port", port, "--daemon", first.url) as second,
    ):
        for serve in (first, second):
            told = ask(serve, b'{"model":"tiny"}')
            assert (told.status_code, "second time" in told.json()["error"]) == (508, True)
            assert ask(serve, None, "/whatever", "GET").status_code == 508

"""Whatever is sent to ``serve``: it answers, signs nothing that it does not understand, and goes on."""

from __future__ import annotations

import json
import re

import pytest
from hostile_requests import requests, statuses_of
from hypothesis import given
from hypothesis import strategies as st
from mutations import examples, written
from scripted_server import DONE, ScriptedServer, everything, plain
from serve_process import MODEL, Serve

OTHERS = {
    "/": "GET",
    "/api/version": "GET",
    "/api/me": "POST",
    "/api/tags": "GET",
    "/v1/models": "GET",
    "/v1/models/gpt-oss:120b-cloud": "GET",
    "/api/pull": "POST",
    "/api/delete": "DELETE",
    "/api/blobs/sha256:00": "HEAD",
    "/api/user/keys/x": "DELETE",
}
_IN_CLOUD = frozenset({"/api/tags", "/api/me", "/api/web_search", "/api/web_fetch", "/v1/models"})
QUESTION = json.dumps({"model": MODEL, "messages": []}).encode()
MOST_GROWTH = 60_000_000
"""Bytes of memory that may be taken meanwhile."""


def test_whatever_is_sent_the_gateway_answers_and_goes_on(gateway: Serve, cloud: ScriptedServer) -> None:
    cloud.answers(plain(DONE))
    port = int(gateway.url.rpartition(":")[2])
    before = gateway.resident()

    @examples(150)
    @given(requests(OTHERS, ("Connection: close",)))
    def check(request: bytes) -> None:
        request = request.replace(b'"gpt-oss:120b"', b'"gpt-oss:120b-cloud"')
        cloud.seen.clear()
        statuses = statuses_of(port, request)
        assert 500 not in statuses
        for seen in cloud.seen:
            assert seen.signer is not None or seen.method == "GET"  # a list is anybody's
            assert not {"cookie", "x-api-key", "x-http-method-override", "x-forwarded-host"} & dict(seen.headers).keys()
            if seen.body and seen.path not in _IN_CLOUD:
                told = json.loads(seen.body, object_pairs_hook=list)
                assert ("model", "gpt-oss:120b") in [tuple(pair) for pair in told if isinstance(pair[1], str)]

    check()
    with gateway.client() as client:
        assert client.get("/api/version").status_code == 200
    assert not re.search("Traceback|A fault", gateway.text)
    assert gateway.resident() - before < MOST_GROWTH


@pytest.mark.parametrize("begun", ["Transfer-Encoding: chunked\r\n\r\n5\r\nhello", "Content-Length: 5\r\n\r\nhell"])
def test_what_cannot_be_read_behind_an_answer_is_no_fault(gateway: Serve, begun: str) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"POST /api/chat HTTP/1.1\r\nHost: elsewhere.example\r\n{begun}".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 403 ")
        connection.sendall(b"\0\r\n\xff\xff\r\n\r\n")
        assert everything(connection).partition(b"\r\n")[0] in (b"", b"HTTP/1.1 400 Bad Request")
    with gateway.client() as client:
        assert client.get("/api/version").status_code == 200
    assert "A fault" not in gateway.text


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("model", [r"\ud800", r"\ud800:cloud:cloud"])
def test_half_a_character_in_a_model_s_name_is_told(gateway: Serve, path: str, model: str) -> None:
    with gateway.client() as client:
        told = client.post(path, content=b'{"model":"%s","messages":[]}' % model.encode())
    assert told.status_code in {400, 404}
    assert "?" in json.dumps(told.json()["error"])


TOLD = {
    "/api/tags": {"models": [{"name": "gpt-oss:120b", "model": "gpt-oss:120b", "size": 5, "details": {"family": "x"}}]},
    "/v1/models": {"object": "list", "data": [{"id": "gpt-oss:120b", "object": "model", "created": 5}]},
    "/v1/models/gpt-oss:120b-cloud": {"id": "gpt-oss:120b", "object": "model", "created": 5},
    "/api/me": {"id": "1", "name": "ada", "email": "ada@example.com", "plan": ""},
    "/api/web_search": {"results": [{"title": "a", "url": "b", "content": "c"}]},
    "/api/chat": {"error": {"message": "no"}, "signin_url": "https://ollama.com/connect?name=a&key=b"},
}


@pytest.mark.parametrize("path", TOLD)
def test_whatever_the_cloud_answers_the_gateway_answers_too(gateway: Serve, cloud: ScriptedServer, path: str) -> None:
    port = int(gateway.url.rpartition(":")[2])
    method = "GET" if path.startswith(("/api/tags", "/v1/models")) else "POST"
    body = QUESTION if path == "/api/chat" else b"{}"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"

    @examples(10)
    @given(written(TOLD[path]), st.sampled_from(["200 OK", "400 No", "401 No", "404 No", "429 No", "500 No", "302 No"]))
    def check(told: bytes, status: str) -> None:
        cloud.answers(plain(told, status))
        (answered,) = statuses_of(port, head.encode() + body, seconds_open=20)
        assert answered in {int(status[:3]), 200, 401, 502, 503}

    check()
    assert not re.search("Traceback|A fault", gateway.text)

"""The reference daemon's own requests to the cloud, and its answers, as they were recorded."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from scripted_server import ScriptedServer, Seen, plain
from serve_process import Serve, serve_process
from support import Cli

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "gateway.json").read_text("utf-8"))
MADE_ANEW = {"content-length", "transfer-encoding", "date", "vary", "access-control-allow-headers"}
NOT_OURS = {"cookie", "authorization", "content-length"}


@pytest.fixture(scope="module")
def without_cloud(one_cloud: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A gateway where cloud models are off."""
    home = tmp_path_factory.mktemp("without")
    with serve_process(Cli(home, {"OLLAMA_CLOUD_BASE_URL": one_cloud.url, "OLLAMA_NO_CLOUD": "1"})) as serve:
        yield serve


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_recorded_request(
    case: dict[str, Any], gateway: Serve, without_cloud: Serve, cloud: ScriptedServer
) -> None:
    cloud.script = as_recorded(case["cloud_answers"])
    serve = without_cloud if case["name"].endswith("_disabled") else gateway
    asked = case["client"]
    with serve.client() as client:
        request = client.build_request(asked["method"], asked["path"], content=asked["body"])
        request.headers = httpx.Headers(
            {name: request.headers[name] for name in ("host", "content-length") if name in request.headers}
        )
        request.headers.update(asked["headers"])
        answer = client.send(request)
    assert [(seen.method, *parsed(seen.target)) for seen in cloud.seen if seen.path not in LISTS] == [
        (sent["method"], sent["path"], without_time(sent["query"])) for sent in case["sent_to_cloud"]
    ]
    for seen, sent in zip([seen for seen in cloud.seen if seen.path not in LISTS], case["sent_to_cloud"], strict=True):
        compare_sent(seen, sent)
    compare_answer(answer, case)


LISTS = {"/api/tags", "/v1/models"}
"""What the reference lists are a daemon's models alone; ours asks the cloud too, which here has none."""


def as_recorded(answers: list[dict[str, Any]]) -> Any:
    def script(seen: Seen, connection: socket.socket) -> None:
        fitting = [answer for answer in answers if (answer["method"], answer["path"]) == (seen.method, seen.path)]
        if not fitting:
            connection.sendall(plain(b'{"error":"not found"}', "404 Not Found"))
            return
        told = fitting[0]
        kind, body = body_of(told)
        extra = [f"{name}: {value}" for name, value in told.get("headers", {}).items()]
        connection.sendall(plain(body, f"{told.get('status', 200)} Told", *extra, kind=kind))

    return script


def body_of(told: dict[str, Any]) -> tuple[str, bytes]:
    if "ndjson" in told:
        return "application/x-ndjson", "".join(f"{json.dumps(line)}\n" for line in told["ndjson"]).encode()
    if "json" in told:
        return "application/json; charset=utf-8", json.dumps(told["json"]).encode()
    return told.get("content_type", "text/plain; charset=utf-8"), told["text"].encode()


def parsed(target: str) -> tuple[str, str]:
    path, _, query = target.partition("?")
    return path, without_time(query)


def without_time(query: str) -> str:
    return "&".join(part for part in query.split("&") if not part.startswith("ts="))


def compare_sent(seen: Seen, sent: dict[str, Any]) -> None:
    assert seen.signer is not None
    assert "ts=" in seen.target
    headers = {name: value for name, value in seen.headers if name not in {"host", "connection"}}
    for name, value in sent["headers"].items():
        if name == "x-ollama-client-version":
            assert headers[name]
        elif name == "content-type" and not seen.body:
            continue  # of nothing
        elif name not in NOT_OURS:
            assert headers[name] == value, name
    assert "cookie" not in headers
    if "json" in sent:
        unknown = {"unknown_field", "tools"}  # the reference drops the one, and what is empty
        ours, theirs = meaning(seen.json), meaning(sent["json"])
        assert {name: value for name, value in ours.items() if name not in unknown} == theirs
    else:
        assert not seen.body


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """A body without empty fields, with the model under its usual name."""
    named = dict(body)
    name = named.pop("name", "")
    if not named.get("model"):
        named["model"] = name
    return {
        key: value for key, value in named.items() if value not in ("", None, [], {}) and (value or key == "stream")
    }


def compare_answer(answer: httpx.Response, case: dict[str, Any]) -> None:
    told = case["answer"]
    assert answer.status_code == told["status"]
    if answer.status_code == 401:  # ours has always the link
        content = answer.json()
        assert content["error"] == "unauthorized"
        assert "/connect?name=" in content["signin_url"]
        return
    for name, value in told["headers"].items():
        if name not in MADE_ANEW and not (name == "allow" and answer.status_code == 204):
            assert answer.headers[name] == value, name
    if case["name"] == "version":
        assert answer.json()["version"]
    elif case["name"] == "v1_models":
        assert answer.json() == {"object": "list", "data": []}
    else:
        assert answer.text == told["body"]


def test_what_a_page_may_send_is_what_it_may_send_to_the_reference(gateway: Serve) -> None:
    (case,) = (case for case in CASES if case["name"] == "preflight")
    with gateway.client() as client:
        answer = client.request("OPTIONS", "/api/chat", headers=case["client"]["headers"])
    told = case["answer"]["headers"]["access-control-allow-headers"]
    assert set(answer.headers["access-control-allow-headers"].split(",")) == set(told.split(","))

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from ollama_cli.credentials.device_key import DeviceKey
from ollama_cli.errors import UsageError
from ollama_cli.sandbox.faults import Fault, parse_fault
from ollama_cli.sandbox.server import EmbeddedSandbox

Connect = Callable[..., httpx.Client]
Open = Callable[..., httpx.Client]

BODY = {"model": "qwen3-coder:480b", "prompt": "hello"}
GENERATE = "/api/generate"


@pytest.fixture
def failing(start: Callable[..., EmbeddedSandbox], connect: Connect, key: DeviceKey) -> Open:
    """Starts a sandbox with faults; gives a client whose device is on the account."""

    def open_client(*faults: str) -> httpx.Client:
        sandbox = start(*faults)
        sandbox.approve(key.public_key, "laptop")
        return connect(sandbox, key)

    return open_client


def received(client: httpx.Client, path: str = GENERATE, **body: Any) -> tuple[list[bytes], Exception | None]:
    """What comes of a stream, line by line, and what ended it."""
    content = b""
    failure = None
    try:
        with client.stream("POST", path, json={**BODY, **body}) as answer:
            for part in answer.iter_raw():
                content += part
    except httpx.HTTPError as error:
        failure = error
    return content.splitlines(), failure


class TestGrammar:
    @pytest.mark.parametrize(
        ("spec", "fault"),
        [
            ("/api/me=status:503", Fault("", "/api/me", status=503)),
            ("/api/me=status:503*2", Fault("", "/api/me", count=2, status=503)),
            ("POST /api/me=status:503*0", Fault("", "/api/me", "POST", 0, status=503)),
            ("*=skew:-900", Fault("", "*", skew=-900)),
            ("/api/*=delay:0.5", Fault("", "/api/*", delay=0.5)),
            ("/x=cut", Fault("", "/x", stream="cut")),
            ("/x=cut:3*1", Fault("", "/x", count=1, stream="cut", after=3)),
            ("/x=status:429+retry-after:2", Fault("", "/x", status=429, headers=(("retry-after", "2"),))),
            ("/x=body:a=b:c", Fault("", "/x", body="a=b:c")),
            ("/x=body:", Fault("", "/x", body="")),
            ("/x=body:1%2B1%2A2%25", Fault("", "/x", body="1+1*2%")),
            ("/x=redirect:https://example.com/a?b=c", Fault("", "/x", redirect="https://example.com/a?b=c")),
            ("/x=drop", Fault("", "/x", drop=True)),
            ("/x=reset", Fault("", "/x", reset=True)),
            ('/x=line:2:{"a": 1}', Fault("", "/x", stream="line", after=2, line='{"a": 1}')),
            ("/x=line", Fault("", "/x", stream="line")),
            ("/x=header:X-A:b:c+header:X-B:", Fault("", "/x", headers=(("X-A", "b:c"), ("X-B", "")))),
            (" /x=delay:1+stall:2 ", Fault("", "/x", delay=1, stream="stall", after=2)),
        ],
    )
    def test_a_fault_is_read(self, spec: str, fault: Fault) -> None:
        read = parse_fault(spec)
        assert read.spec == spec
        assert {**vars(read), "spec": ""} == vars(fault)

    @pytest.mark.parametrize(
        "spec",
        [
            "",
            "/x",
            "/x=",
            "x=status:500",
            "=status:500",
            "/x=status",
            "/x=status:",
            "/x=status:199",
            "/x=status:600",
            "/x=status:\u0665\u0660\u0660",
            "/x=status:5e2",
            "/x=cut:-1",
            "/x=cut:x",
            "/x=cut:1+end:2",
            "/x=cut:1+status:500",
            "/x=delay:x",
            "/x=delay:-1",
            "/x=delay:nan",
            "/x=delay:inf",
            "/x=skew:1e12",
            "/x=redirect:",
            "/x=redirect:\n",
            "/x=retry-after:",
            "/x=drop:1",
            "/x=reset:1",
            "/x=cut:1:text",
            "/x=line:x:text",
            "/x=header:",
            "/x=header:a b:c",
            "/x=header:\u00e9:c",
            "/x=explode",
            "/x=status:500+",
            "/x=status:500*",
            "/x=status:500*x",
            "get /x=status:500",
            "/a b=status:500",
        ],
    )
    def test_what_is_no_fault_is_a_usage_error_with_an_example(self, spec: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_fault(spec)
        assert caught.value.hint

    def test_a_sandbox_does_not_start_with_a_wrong_fault(self, start: Callable[..., EmbeddedSandbox]) -> None:
        with pytest.raises(UsageError):
            start("/x=explode")


class TestInsteadOfAnAnswer:
    def test_a_status_comes_with_an_error_as_ollama_writes_it(self, failing: Open) -> None:
        client = failing("/api/generate=status:503", "/v1/models=status:503")
        answer = client.post(GENERATE, json=BODY)
        assert answer.status_code == 503
        assert answer.json() == {"error": "Server overloaded, please retry shortly (ref: sandbox)"}
        assert client.get("/v1/models").json()["error"]["type"] == "api_error"
        assert client.post("/api/me").status_code == 200

    def test_it_comes_before_the_credential_is_looked_at(
        self, start: Callable[..., EmbeddedSandbox], connect: Connect
    ) -> None:
        assert connect(start("/api/me=status:500")).post("/api/me").status_code == 500

    def test_it_is_counted(self, failing: Open) -> None:
        client = failing("/api/me=status:503*2", "/api/me=status:500*1")
        assert [client.post("/api/me").status_code for _ in range(4)] == [503, 503, 500, 200]

    def test_it_is_for_its_method_only(self, failing: Open) -> None:
        client = failing("DELETE /api/*=status:500")
        assert client.post("/api/me").status_code == 200
        assert client.delete("/api/user/keys/x").status_code == 500

    @pytest.mark.parametrize("code", [204, 304])
    def test_a_status_without_a_body_has_none(self, failing: Open, code: int) -> None:
        answer = failing(f"*=status:{code}").post("/api/me")
        assert (answer.status_code, answer.content) == (code, b"")

    @pytest.mark.parametrize(
        ("spec", "status", "kind", "start_of_body"),
        [
            ("status:502+body:html", 502, "text/html", "<html>"),
            ("status:503+body:plain", 503, "text/plain", "upstream"),
            ("status:500+body:empty", 500, "text/plain", ""),
            ("body:null", 200, "application/json", "null"),
            ('body:{"name": ""}', 200, "application/json", '{"name": ""}'),
            ("body:boom", 200, "text/plain", "boom"),
        ],
    )
    def test_a_body_is_given(self, failing: Open, spec: str, status: int, kind: str, start_of_body: str) -> None:
        answer = failing(f"/api/me={spec}").post("/api/me")
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.text.startswith(start_of_body)
        if not start_of_body:
            assert answer.content == b""

    def test_a_redirect(self, failing: Open) -> None:
        answer = failing("/api/me=redirect:https://example.com/x").post("/api/me")
        assert (answer.status_code, answer.headers["Location"]) == (307, "https://example.com/x")

    def test_a_time_to_wait_is_named(self, failing: Open) -> None:
        client = failing("/api/me=status:429+retry-after:7", "/api/chat=retry-after:8")
        assert client.post("/api/me").headers["Retry-After"] == "7"
        assert client.post("/api/chat", json={"model": "gpt-oss:20b"}).headers["Retry-After"] == "8"

    def test_a_connection_is_dropped(self, failing: Open) -> None:
        client = failing("/api/me=drop*1")
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/api/me")
        assert client.post("/api/me").status_code == 200


class TestWithinAnAnswer:
    def test_cut(self, failing: Open) -> None:
        lines, failure = received(failing("/api/generate=cut:3"))
        assert [json.loads(line)["response"] for line in lines] == ["You", " said:", " “hello”."]
        assert isinstance(failure, httpx.RemoteProtocolError)

    def test_cut_before_the_first_chunk(self, failing: Open) -> None:
        lines, failure = received(failing("/api/generate=cut"))
        assert lines == []
        assert isinstance(failure, httpx.RemoteProtocolError)

    def test_cut_an_answer_that_is_no_stream(self, failing: Open) -> None:
        _, failure = received(failing("/api/generate=cut:1"), stream=False)
        assert isinstance(failure, httpx.RemoteProtocolError)

    def test_end(self, failing: Open) -> None:
        lines, failure = received(failing("/api/generate=end:2"))
        assert [json.loads(line)["done"] for line in lines] == [False, False]
        assert failure is None

    def test_garbage(self, failing: Open) -> None:
        lines, failure = received(failing("/api/generate=garbage:1"))
        assert failure is None
        with pytest.raises(json.JSONDecodeError):
            json.loads(lines[1])
        assert json.loads(lines[2])["response"] == " said:"
        assert json.loads(lines[-1])["done"] is True

    def test_flip(self, failing: Open) -> None:
        lines, failure = received(failing("/api/generate=flip:1"))
        assert failure is None
        assert lines[1][0] == ord("{") ^ 1
        assert [json.loads(line)["response"] for line in (lines[0], lines[2])] == ["You", " “hello”."]

    def test_error(self, failing: Open) -> None:
        lines, failure = received(failing("/api/generate=error:1"))
        assert failure is None
        assert [set(json.loads(line)) for line in lines[1:]] == [{"error"}]

    def test_a_fault_after_the_last_chunk_does_not_happen(self, failing: Open) -> None:
        lines, failure = received(failing("/api/generate=cut:1000"))
        assert json.loads(lines[-1])["done"] is True
        assert failure is None

    def test_stall(self, failing: Open) -> None:
        client = failing("/api/generate=stall:2*1")
        client.timeout = httpx.Timeout(20, read=0.3)
        lines, failure = received(client)
        assert len(lines) == 2
        assert isinstance(failure, httpx.ReadTimeout)
        assert json.loads(received(client)[0][-1])["done"] is True

    @pytest.mark.parametrize("kind", ["garbage", "error"])
    def test_events_keep_their_form(self, failing: Open, kind: str) -> None:
        client = failing(f"/v1/chat/completions={kind}:1")
        messages = [{"role": "user", "content": "hello"}]
        lines, _ = received(client, "/v1/chat/completions", messages=messages, stream=True)
        assert lines[2].startswith(b"data: ")
        if kind == "error":
            assert json.loads(lines[2].removeprefix(b"data: "))["error"]["type"] == "api_error"
            assert len(lines) == 4


class TestBeside:
    def test_delay(self, failing: Open) -> None:
        client = failing("/api/me=delay:0.2+status:500*1")
        before = time.monotonic()
        assert client.post("/api/me").status_code == 500
        assert time.monotonic() - before >= 0.2

    @pytest.mark.parametrize("seconds", [-7200, 7200])
    def test_a_clock_that_is_wrong_shows_in_the_date_and_counts_for_signatures(
        self, failing: Open, key: DeviceKey, seconds: int
    ) -> None:
        client = failing(f"*=skew:{seconds}")
        unsigned = httpx.Client(base_url=client.base_url, trust_env=False)
        target = f"/api/me?ts={int(time.time())}"
        url = client.base_url.copy_with(raw_path=target.encode())
        with unsigned:
            refused = unsigned.post(url, headers={"Authorization": key.sign(f"POST,{target}")})
        assert refused.status_code == 401
        told = parsedate_to_datetime(refused.headers["Date"]).timestamp()
        assert abs(told - time.time() - seconds) < 60
        assert client.post("/api/me").status_code == 200

    def test_the_sandboxs_own_paths_do_not_fail(self, failing: Open) -> None:
        client = failing("*=status:500")
        assert client.get("/sandbox").status_code == 200
        assert client.get("/sandbox/requests").status_code == 200
        assert client.get("/").status_code == 500

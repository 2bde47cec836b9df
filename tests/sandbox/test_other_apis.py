from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from typing import Any, ClassVar

import httpx
import pytest

HELLO = [{"role": "user", "content": "hello"}]
TOOL = {"name": "add", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}
PATHS = ("/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages")


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """The events of a stream whose names stand beside them."""
    assert answer.status_code == 200, answer.text
    found = []
    for part in answer.text.removesuffix("\n\n").split("\n\n"):
        name, data = part.split("\n")
        content = json.loads(data.removeprefix("data: "))
        assert name == f"event: {content['type']}"
        found.append(content)
    return found


def test_completions(device: httpx.Client) -> None:
    body = {"model": "qwen3-coder:480b", "prompt": "hello", "max_tokens": 2}
    whole = device.post("/v1/completions", json=body).json()
    assert whole["choices"] == [{"index": 0, "text": "You said:", "finish_reason": "length"}]
    assert whole["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    text = device.post("/v1/completions", json={**body, "stream": True}).text
    *parts, end, _ = text.split("\n\n")
    assert end == "data: [DONE]"
    choices = [json.loads(part.removeprefix("data: "))["choices"][0] for part in parts]
    assert [choice["text"] for choice in choices] == ["You", " said:", ""]
    assert choices[-1]["finish_reason"] == "length"


def test_embeddings_as_numbers_and_in_base64(device: httpx.Client) -> None:
    body = {"model": "embeddinggemma:300m", "input": ["a", "b"], "dimensions": 4}
    plain = device.post("/v1/embeddings", json=body).json()
    assert [item["index"] for item in plain["data"]] == [0, 1]
    packed = device.post("/v1/embeddings", json={**body, "encoding_format": "base64"}).json()
    numbers = struct.unpack("<4f", b64decode(packed["data"][1]["embedding"]))
    assert numbers == pytest.approx(plain["data"][1]["embedding"])
    assert plain["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


class TestResponses:
    def test_an_answer_at_once(self, device: httpx.Client) -> None:
        body = {"model": "gpt-oss:120b", "input": "hello", "instructions": "Be brief."}
        whole = device.post("/v1/responses", json=body).json()
        assert (whole["object"], whole["status"]) == ("response", "completed")
        thought, message = whole["output"]
        assert "“hello”" in thought["summary"][0]["text"]
        assert "“Be brief.”" in message["content"][0]["text"]

    def test_a_stream_says_the_same(self, device: httpx.Client) -> None:
        parts = [{"type": "input_text", "text": "hello"}]
        body = {"model": "gpt-oss:120b", "input": [{"role": "user", "content": parts}], "max_output_tokens": 4}
        whole = device.post("/v1/responses", json=body).json()
        stream = events(device.post("/v1/responses", json={**body, "stream": True}))
        assert [content["sequence_number"] for content in stream] == list(range(len(stream)))
        deltas = [content["delta"] for content in stream if content["type"] == "response.output_text.delta"]
        assert "".join(deltas) == whole["output"][-1]["content"][0]["text"]
        assert stream[-1]["type"] == "response.completed"
        assert stream[-1]["response"]["output"] == whole["output"]

    def test_effort_switches_thinking(self, device: httpx.Client) -> None:
        body = {"model": "gpt-oss:20b", "input": "x", "reasoning": {"effort": "none"}}
        assert len(device.post("/v1/responses", json=body).json()["output"]) == 1

    @pytest.mark.parametrize("given", [None, [], 7, [7], [{"type": "reasoning"}]])
    def test_no_input_is_refused(self, device: httpx.Client, given: object) -> None:
        answer = device.post("/v1/responses", json={"model": "gpt-oss:20b", "input": given})
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"


class TestMessages:
    BODY: ClassVar[dict[str, Any]] = {"model": "gpt-oss:120b", "max_tokens": 100, "messages": HELLO}

    def test_an_answer_at_once(self, device: httpx.Client) -> None:
        body = {**self.BODY, "system": [{"type": "text", "text": "Be brief."}], "thinking": {"type": "enabled"}}
        whole = device.post("/v1/messages", json=body).json()
        assert (whole["type"], whole["role"], whole["stop_reason"]) == ("message", "assistant", "end_turn")
        thought, text = whole["content"]
        assert "“hello”" in thought["thinking"]
        assert "“Be brief.”" in text["text"]

    def test_a_stream_says_the_same(self, device: httpx.Client) -> None:
        body = {**self.BODY, "max_tokens": 3, "thinking": {"type": "enabled", "budget_tokens": 1}}
        whole = device.post("/v1/messages", json=body).json()
        stream = events(device.post("/v1/messages", json={**body, "stream": True}))
        said: dict[str, str] = {"thinking_delta": "", "text_delta": ""}
        for content in stream:
            if content["type"] == "content_block_delta":
                kind = content["delta"]["type"]
                said[kind] += content["delta"][kind.removesuffix("_delta")]
        assert list(said.values()) == [whole["content"][0]["thinking"], whole["content"][1]["text"]]
        assert [content["type"] for content in stream][:2] == ["message_start", "content_block_start"]
        assert stream[-2]["delta"]["stop_reason"] == "max_tokens"
        assert stream[-1]["type"] == "message_stop"

    def test_a_tool_is_called_and_what_it_gave_is_read(self, device: httpx.Client) -> None:
        body = {**self.BODY, "tools": [TOOL]}
        whole = device.post("/v1/messages", json=body).json()
        assert whole["stop_reason"] == "tool_use"
        assert whole["content"] == [{"type": "tool_use", "id": "toolu_0", "name": "add", "input": {"a": 1}}]
        stream = events(device.post("/v1/messages", json={**body, "stream": True}))
        assert {"type": "input_json_delta", "partial_json": '{"a": 1}'} in [part.get("delta") for part in stream]
        result = {"type": "tool_result", "tool_use_id": "toolu_0", "content": [{"type": "text", "text": "2"}]}
        messages = [*HELLO, {"role": "assistant", "content": whole["content"]}, {"role": "user", "content": [result]}]
        told = device.post("/v1/messages", json={**body, "messages": messages}).json()
        assert "The tool said: “2”." in told["content"][0]["text"]

    def test_a_picture_is_seen(self, device: httpx.Client) -> None:
        source = {"type": "base64", "media_type": "image/png", "data": b64encode(b"xyz").decode()}
        messages = [{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "?"}]}]
        body = {**self.BODY, "model": "qwen3-vl:235b", "messages": messages}
        assert "1 image: something of 3 bytes" in device.post("/v1/messages", json=body).json()["content"][0]["text"]

    @pytest.mark.parametrize(
        "change",
        [{"messages": []}, {"max_tokens": 0}, {"max_tokens": None}, {"system": 7}, {"messages": [{"content": [7]}]}],
    )
    def test_a_refusal_has_anthropics_shape(self, device: httpx.Client, change: dict[str, Any]) -> None:
        answer = device.post("/v1/messages", json={**self.BODY, **change})
        assert answer.status_code == 400
        assert answer.json()["type"] == "error"
        assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", PATHS)
def test_each_needs_a_credential_and_a_model(nobody: httpx.Client, device: httpx.Client, path: str) -> None:
    body = {"model": "nope", "max_tokens": 1, "messages": HELLO, "input": "x", "prompt": "x"}
    assert nobody.post(path, json=body).status_code == 401
    assert device.post(path, json=body).status_code == 404
    assert device.post(path, content=b"{").status_code == 400

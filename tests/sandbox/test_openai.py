from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import httpx
import pytest

PATH = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "hello"}]


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """The events of a stream, which has to end as OpenAI's do."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    *parts, end, nothing = answer.text.split("\n\n")
    assert (end, nothing) == ("data: [DONE]", "")
    return [json.loads(part.removeprefix("data: ")) for part in parts]


def test_an_answer_at_once(device: httpx.Client) -> None:
    answer = device.post(PATH, json={"model": "gpt-oss:120b", "messages": HELLO}).json()
    assert answer["object"] == "chat.completion"
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["role"] == "assistant"
    assert "“hello”" in choice["message"]["content"]
    assert "“hello”" in choice["message"]["reasoning"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_stream_says_the_same(device: httpx.Client) -> None:
    body = {"model": "gpt-oss:120b", "messages": HELLO}
    whole = device.post(PATH, json=body).json()
    chunks = events(device.post(PATH, json={**body, "stream": True, "stream_options": {"include_usage": True}}))
    *pieces, last, usage = chunks
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in pieces)
    assert text == whole["choices"][0]["message"]["content"]
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert (usage["choices"], usage["usage"]) == ([], whole["usage"])


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_words_are_limited(device: httpx.Client, field: str) -> None:
    body = {"model": "qwen3-coder:480b", "messages": HELLO, field: 2}
    (choice,) = device.post(PATH, json=body).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("You said:", "length")


@pytest.mark.parametrize(("effort", "thinks"), [("none", False), ("high", True)])
def test_effort_switches_thinking(device: httpx.Client, effort: str, thinks: bool) -> None:
    body = {"model": "gpt-oss:20b", "messages": HELLO, "reasoning_effort": effort}
    assert ("reasoning" in device.post(PATH, json=body).json()["choices"][0]["message"]) == thinks


def test_a_tool_is_called(device: httpx.Client) -> None:
    tool = {"type": "function", "function": {"name": "add", "parameters": {"properties": {"a": {"type": "integer"}}}}}
    body: dict[str, Any] = {"model": "qwen3-coder:480b", "messages": HELLO, "tools": [tool]}
    (choice,) = device.post(PATH, json=body).json()["choices"]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert (call["type"], call["function"]) == ("function", {"name": "add", "arguments": '{"a": 1}'})
    first, last = events(device.post(PATH, json={**body, "stream": True}))
    assert first["choices"][0]["delta"]["tool_calls"] == [call]
    assert last["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("as_text", [False, True])
def test_parts_hold_texts_and_pictures(device: httpx.Client, as_text: bool) -> None:
    url = f"data:image/png;base64,{b64encode(b'xyz').decode()}"
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": url if as_text else {"url": url}},
    ]
    body = {"model": "qwen3-vl:235b", "messages": [{"role": "user", "content": parts}]}
    content = device.post(PATH, json=body).json()["choices"][0]["message"]["content"]
    assert "“What is it?”" in content
    assert "1 image: something of 3 bytes" in content


def test_a_developer_speaks_as_the_system(device: httpx.Client) -> None:
    body = {"model": "qwen3-coder:480b", "messages": [{"role": "developer", "content": "Be brief."}, *HELLO]}
    assert "“Be brief.”" in device.post(PATH, json=body).json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("wanted", "content"),
    [
        ({"type": "json_object"}, {"answer": "hello", "model": "gpt-oss:20b", "stand_in": True}),
        ({"type": "json_schema", "json_schema": {"schema": {"properties": {"n": {"type": "number"}}}}}, {"n": 1}),
    ],
)
def test_a_shape_is_kept(device: httpx.Client, wanted: dict[str, Any], content: object) -> None:
    body = {"model": "gpt-oss:20b", "messages": HELLO, "response_format": wanted}
    assert json.loads(device.post(PATH, json=body).json()["choices"][0]["message"]["content"]) == content


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"model": "nope", "messages": HELLO}, 404, "not_found_error"),
        ({"model": "gpt-oss:20b"}, 400, "invalid_request_error"),
        ({"model": "gpt-oss:20b", "messages": "hello"}, 400, "invalid_request_error"),
        ({"model": "gpt-oss:20b", "messages": HELLO, "stream": "x"}, 400, "invalid_request_error"),
        ({"model": "gpt-oss:20b", "messages": HELLO, "response_format": {"type": "xml"}}, 400, "invalid_request_error"),
        ({"model": "gpt-oss:20b", "messages": HELLO, "response_format": "json"}, 400, "invalid_request_error"),
        ({"model": "gpt-oss:20b", "messages": [{"role": "user", "content": [7]}]}, 400, "invalid_request_error"),
        (
            {"model": "qwen3-vl:235b", "messages": [{"role": "user", "content": [{"image_url": "http://x/"}]}]},
            400,
            "invalid_request_error",
        ),
    ],
)
def test_a_refusal_has_openais_shape(device: httpx.Client, body: dict[str, Any], status: int, kind: str) -> None:
    answer = device.post(PATH, json=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == kind


def test_an_unknown_caller_is_refused_in_the_same_shape(nobody: httpx.Client) -> None:
    answer = nobody.post(PATH, json={"model": "gpt-oss:20b", "messages": HELLO})
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "unauthorized"

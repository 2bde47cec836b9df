from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ollama_cli.sandbox.models import MODELS
from ollama_cli.sandbox.server import EmbeddedSandbox

PNG = b"\x89PNG\r\n\x1a\nnot a whole picture"
SKY = "Why is the sky blue?"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]}},
            "required": ["city", "unit"],
        },
    },
}


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.split("\n") if line]


def whole(device: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = device.post(path, json={"stream": False, **body})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def refusal(device: httpx.Client, path: str, **body: Any) -> tuple[int, str]:
    answer = device.post(path, json=body)
    return answer.status_code, answer.json()["error"]


def says(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


class TestModels:
    def test_anybody_may_list_them(self, nobody: httpx.Client) -> None:
        models = nobody.get("/api/tags").json()["models"]
        assert [model["name"] for model in models] == [model.name for model in MODELS]
        assert {"name", "model", "modified_at", "size", "digest", "details"} <= set(models[0])
        assert [item["id"] for item in nobody.get("/v1/models").json()["data"]] == [model.name for model in MODELS]
        assert nobody.get("/v1/models/gpt-oss:120b").json()["id"] == "gpt-oss:120b"
        assert nobody.get("/v1/models/nope").json()["error"]["type"] == "not_found_error"

    def test_between_them_they_can_do_everything(self) -> None:
        can = {capability for model in MODELS for capability in model.capabilities}
        assert can == {"completion", "thinking", "tools", "vision", "embedding"}

    @pytest.mark.parametrize(
        "name", ["gpt-oss:120b", "gpt-oss:120b-cloud", "gpt-oss:120b:cloud", "GPT-OSS", "gpt-oss:cloud"]
    )
    def test_a_name_is_taken_with_and_without_its_suffix(self, device: httpx.Client, name: str) -> None:
        shown = device.post("/api/show", json={"model": name}).json()
        assert shown["capabilities"] == ["completion", "tools", "thinking"]
        assert shown["details"]["family"] == "gptoss"
        assert shown["model_info"]["gptoss.context_length"] == 131072
        assert whole(device, "/api/generate", model=name, prompt="x")["model"] == name

    def test_show_takes_the_old_field_name(self, device: httpx.Client) -> None:
        assert device.post("/api/show", json={"name": "gpt-oss:20b"}).status_code == 200

    def test_show_needs_a_credential(self, nobody: httpx.Client) -> None:
        assert nobody.post("/api/show", json={"model": "gpt-oss:20b"}).status_code == 401

    @pytest.mark.parametrize("path", ["/api/show", "/api/generate", "/api/chat", "/api/embed", "/api/pull"])
    def test_an_unknown_model_is_not_found(self, device: httpx.Client, path: str) -> None:
        assert refusal(device, path, model="nope", prompt="x") == (404, "model 'nope' not found")
        assert refusal(device, path, prompt="x") == (404, "model '' not found")
        assert refusal(device, path, model="a:cloud:local") == (400, "invalid model name")

    def test_a_cloud_model_is_pulled_at_once(self, device: httpx.Client) -> None:
        assert lines(device.post("/api/pull", json={"model": "gpt-oss:20b-cloud"})) == [{"status": "success"}]


class TestGenerate:
    def test_an_answer_comes_word_by_word_after_its_thinking(self, device: httpx.Client) -> None:
        chunks = lines(device.post("/api/generate", json={"model": "gpt-oss:120b", "prompt": SKY}))
        thinking = [bool(chunk.get("thinking")) for chunk in chunks]
        assert thinking == sorted(thinking, reverse=True)
        text = "".join(chunk["response"] for chunk in chunks)
        assert "Rayleigh" in text
        assert "**blue**" in text
        assert "No model ran" in text
        *pieces, last = chunks
        assert all(chunk["done"] is False and len(chunk["response"].split()) <= 1 for chunk in pieces)
        assert (last["done"], last["done_reason"], last["response"]) == (True, "stop", "")
        assert last["eval_count"] == len(pieces)
        assert last["prompt_eval_count"] == 5
        for count in ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration"):
            assert last[count] > 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", last["created_at"])

    def test_the_same_question_has_the_same_answer(self, device: httpx.Client) -> None:
        bodies = [whole(device, "/api/generate", model="gpt-oss:120b", prompt="x") for _ in range(2)]
        for body in bodies:
            del body["created_at"]
        assert bodies[0] == bodies[1]

    def test_a_whole_answer_is_what_the_stream_says(self, device: httpx.Client) -> None:
        chunks = lines(device.post("/api/generate", json={"model": "gpt-oss:120b", "prompt": SKY}))
        answer = whole(device, "/api/generate", model="gpt-oss:120b", prompt=SKY)
        assert answer["response"] == "".join(chunk["response"] for chunk in chunks)
        assert answer["thinking"] == "".join(chunk.get("thinking", "") for chunk in chunks)

    def test_the_answer_depends_on_prompt_and_system(self, device: httpx.Client) -> None:
        answer = whole(device, "/api/generate", model="qwen3-coder:480b", prompt="Write a loop.", system="Be brief.")
        assert "“Write a loop.”" in answer["response"]
        assert "“Be brief.”" in answer["response"]

    @pytest.mark.parametrize(
        ("think", "thinks"), [(False, False), (True, True), ("high", True), ("max", True), (None, True)]
    )
    def test_thinking_is_switched(self, device: httpx.Client, think: object, thinks: bool) -> None:
        answer = whole(device, "/api/generate", model="gpt-oss:20b", prompt="x", think=think)
        assert ("thinking" in answer) == thinks
        if isinstance(think, str):
            assert think in answer["thinking"]

    def test_a_model_that_does_not_think_is_not_made_to(self, device: httpx.Client) -> None:
        for think in (True, "low"):
            body = {"model": "qwen3-coder:480b", "prompt": "x", "think": think}
            assert refusal(device, "/api/generate", **body) == (400, '"qwen3-coder:480b" does not support thinking')
        assert "thinking" not in whole(device, "/api/generate", model="qwen3-coder:480b", prompt="x", think=False)

    @pytest.mark.parametrize("think", ["huge", 1, 0, [], {}])
    def test_an_unknown_effort_is_refused(self, device: httpx.Client, think: object) -> None:
        status, said = refusal(device, "/api/generate", model="gpt-oss:20b", prompt="x", think=think)
        assert status == 400
        assert said.startswith(f"invalid think value: {json.dumps(think)} ")

    def test_without_a_prompt_the_model_is_loaded(self, device: httpx.Client) -> None:
        answer = device.post("/api/generate", json={"model": "gpt-oss:20b"})
        assert answer.headers["Content-Type"] == "application/json"
        assert (answer.json()["done"], answer.json()["done_reason"], answer.json()["response"]) == (True, "load", "")
        assert whole(device, "/api/generate", model="gpt-oss:20b", keep_alive=0)["done_reason"] == "unload"

    def test_words_are_limited(self, device: httpx.Client) -> None:
        answer = whole(device, "/api/generate", model="gpt-oss:20b", prompt=SKY, options={"num_predict": 3})
        assert answer["response"] == "Sunlight is a"
        assert answer["done_reason"] == "length"
        unlimited = whole(device, "/api/generate", model="gpt-oss:20b", prompt=SKY, options={"num_predict": -1})
        assert unlimited["done_reason"] == "stop"

    def test_a_stop_text_ends_the_answer(self, device: httpx.Client) -> None:
        options = {"stop": ["colour", "never"]}
        answer = whole(device, "/api/generate", model="gpt-oss:20b", prompt=SKY, options=options)
        assert answer["response"] == "Sunlight is a mix of every "
        assert answer["done_reason"] == "stop"

    def test_an_embedding_model_does_not_generate(self, device: httpx.Client) -> None:
        model = "embeddinggemma:300m"
        assert refusal(device, "/api/generate", model=model, prompt="x") == (
            400,
            f'"{model}" does not support generate',
        )
        assert refusal(device, "/api/chat", model=model) == (400, f'"{model}" does not support chat')

    def test_pictures_are_counted_and_measured(self, device: httpx.Client) -> None:
        images = [b64encode(PNG).decode(), b64encode(b"xyz").decode()]
        answer = whole(device, "/api/generate", model="qwen3-vl:235b", prompt="What?", images=images)
        assert f"2 images: a PNG of {len(PNG)} bytes, something of 3 bytes." in answer["response"]

    def test_a_model_that_does_not_see_is_shown_nothing(self, device: httpx.Client) -> None:
        body = {"model": "gpt-oss:20b", "prompt": "x", "images": ["eHl6"]}
        assert refusal(device, "/api/generate", **body) == (400, '"gpt-oss:20b" does not support images')

    @pytest.mark.parametrize("image", ["!", "eHl6===", "a", "ü"])
    def test_a_picture_that_is_no_base64_is_refused(self, device: httpx.Client, image: str) -> None:
        assert refusal(device, "/api/generate", model="qwen3-vl:235b", images=[image])[0] == 400


class TestFormat:
    def test_json_is_answered_with_json(self, device: httpx.Client) -> None:
        answer = whole(device, "/api/generate", model="gpt-oss:20b", prompt="hello", format="json")
        assert json.loads(answer["response"])["answer"] == "hello"

    def test_a_schema_is_answered_with_an_instance_of_it(self, device: httpx.Client) -> None:
        schema = {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "age": {"type": "integer", "minimum": 18},
                "size": {"type": "number"},
                "well": {"type": "boolean"},
                "kind": {"enum": ["a", "b"]},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
                "optional": {"type": "string"},
            },
            "required": ["name", "age", "size", "well", "kind", "tags"],
        }
        chunks = lines(device.post("/api/generate", json={"model": "gpt-oss:20b", "prompt": "x", "format": schema}))
        content = json.loads("".join(chunk["response"] for chunk in chunks))
        assert content == {
            "name": "stand-in",
            "age": 18,
            "size": 1,
            "well": False,
            "kind": "a",
            "tags": ["stand-in", "stand-in"],
        }

    @pytest.mark.parametrize("value", ["", None])
    def test_no_format_is_text(self, device: httpx.Client, value: object) -> None:
        assert "You said" in whole(device, "/api/generate", model="gpt-oss:20b", prompt="x", format=value)["response"]

    @pytest.mark.parametrize("value", ["xml", 7, [], False])
    def test_another_format_is_refused(self, device: httpx.Client, value: object) -> None:
        status, said = refusal(device, "/api/generate", model="gpt-oss:20b", prompt="x", format=value)
        assert status == 400
        assert said.startswith("invalid format: ")


class TestChat:
    def test_the_answer_depends_on_all_messages(self, device: httpx.Client) -> None:
        messages = [says("one"), {"role": "assistant", "content": "two"}, says("three")]
        chunks = lines(device.post("/api/chat", json={"model": "qwen3-coder:480b", "messages": messages}))
        text = "".join(chunk["message"]["content"] for chunk in chunks)
        assert "“three”" in text
        assert "seen 3 messages" in text
        assert {chunk["message"]["role"] for chunk in chunks} == {"assistant"}
        assert chunks[-1]["done_reason"] == "stop"

    def test_thinking_stands_in_the_message(self, device: httpx.Client) -> None:
        answer = whole(device, "/api/chat", model="gpt-oss:120b", messages=[says(SKY)])
        assert SKY in answer["message"]["thinking"]
        assert "Rayleigh" in answer["message"]["content"]

    def test_without_messages_the_model_is_loaded(self, device: httpx.Client) -> None:
        answer = whole(device, "/api/chat", model="gpt-oss:20b", messages=[])
        assert answer["message"] == {"role": "assistant", "content": ""}
        assert answer["done_reason"] == "load"

    def test_a_tool_is_called_with_arguments_of_its_schema(self, device: httpx.Client) -> None:
        messages = [says("What is the weather in Paris?")]
        body = {"model": "qwen3-coder:480b", "messages": messages, "tools": [WEATHER]}
        chunks = lines(device.post("/api/chat", json=body))
        (call,) = [call for chunk in chunks for call in chunk["message"].get("tool_calls", ())]
        assert call["function"]["name"] == "weather"
        assert call["function"]["arguments"] == {"city": "Paris", "unit": "C"}
        assert not "".join(chunk["message"]["content"] for chunk in chunks)

    def test_after_the_tool_the_model_speaks(self, device: httpx.Client) -> None:
        messages = [
            says("Weather?"),
            {"role": "assistant", "tool_calls": []},
            {"role": "tool", "content": "19 degrees"},
        ]
        answer = whole(device, "/api/chat", model="qwen3-coder:480b", messages=messages, tools=[WEATHER])
        assert "The tool said: “19 degrees”." in answer["message"]["content"]
        assert "tool_calls" not in answer["message"]

    @pytest.mark.parametrize("tool", [{}, {"function": 7}, {"function": {"name": 7, "parameters": []}}])
    def test_an_odd_tool_is_called_all_the_same(self, device: httpx.Client, tool: dict[str, Any]) -> None:
        answer = whole(device, "/api/chat", model="qwen3-coder:480b", messages=[says("x")], tools=[tool])
        assert answer["message"]["tool_calls"][0]["function"]["arguments"] == {}

    def test_a_model_without_tools_is_given_none(self, device: httpx.Client) -> None:
        body = {"model": "gpt-oss:20b", "messages": [says("x")], "tools": [WEATHER]}
        assert refusal(device, "/api/chat", **body) == (400, '"gpt-oss:20b" does not support tools')

    def test_pictures_come_with_messages(self, device: httpx.Client) -> None:
        messages = [{**says("What?"), "images": [b64encode(PNG).decode()]}]
        answer = whole(device, "/api/chat", model="qwen3-vl:235b", messages=messages)
        assert "1 image: a PNG" in answer["message"]["content"]


class TestEmbed:
    MODEL = "embeddinggemma:300m"

    def test_each_text_has_its_own_vector_of_length_one(self, device: httpx.Client) -> None:
        answer = whole(device, "/api/embed", model=self.MODEL, input=["a", "b c"])
        first, second = answer["embeddings"]
        assert len(first) == len(second) == 64
        assert first != second
        assert math.isclose(sum(number**2 for number in first), 1)
        assert answer["prompt_eval_count"] == 3
        assert whole(device, "/api/embed", model=self.MODEL, input="a")["embeddings"] == [first]

    def test_dimensions_shorten_it(self, device: httpx.Client) -> None:
        (vector,) = whole(device, "/api/embed", model=self.MODEL, input="a", dimensions=8)["embeddings"]
        assert len(vector) == 8
        assert math.isclose(sum(number**2 for number in vector), 1)
        (vector,) = whole(device, "/api/embed", model=self.MODEL, input="a", dimensions=1000)["embeddings"]
        assert len(vector) == 64

    @pytest.mark.parametrize("given", ["", [], None])
    def test_nothing_has_no_vector(self, device: httpx.Client, given: object) -> None:
        answer = whole(device, "/api/embed", model=self.MODEL, input=given)
        assert answer == {"model": self.MODEL, "embeddings": []}

    def test_a_long_text_is_cut_unless_that_is_forbidden(self, device: httpx.Client) -> None:
        text = "word " * 3000
        assert whole(device, "/api/embed", model=self.MODEL, input=text)["prompt_eval_count"] == 2048
        body = {"model": self.MODEL, "input": text, "truncate": False}
        assert refusal(device, "/api/embed", **body) == (400, "the input length exceeds the context length")

    @pytest.mark.parametrize(
        "body",
        [
            {"input": 7},
            {"input": [7]},
            {"input": {"a": 1}},
            {"input": "a", "dimensions": -1},
            {"input": "a", "dimensions": "8"},
        ],
    )
    def test_wrong_input_is_refused(self, device: httpx.Client, body: dict[str, Any]) -> None:
        assert refusal(device, "/api/embed", model=self.MODEL, **body)[0] == 400

    def test_another_model_makes_no_vectors(self, device: httpx.Client) -> None:
        answer = refusal(device, "/api/embed", model="gpt-oss:20b", input="a")
        assert answer == (400, '"gpt-oss:20b" does not support embeddings')


POSTED = (
    "/api/show",
    "/api/pull",
    "/api/generate",
    "/api/chat",
    "/api/embed",
    "/v1/chat/completions",
    "/api/web_search",
)


class TestWhateverIsSent:
    @pytest.mark.parametrize("path", POSTED)
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b" ",
            b"{",
            b'{"model":',
            b"[]",
            b"null",
            b'"text"',
            b"7",
            b"NaN",
            b'{"model": NaN}',
            b'{"model": 1e999}',
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"a":' * 100_000,
        ],
    )
    def test_a_body_that_is_no_object_is_refused(self, device: httpx.Client, path: str, content: bytes) -> None:
        assert device.post(path, content=content).status_code == 400

    @pytest.mark.parametrize(
        "body",
        [
            {"model": 7},
            {"model": ["gpt-oss:20b"]},
            {"prompt": 7},
            {"system": {}},
            {"stream": "yes"},
            {"stream": 1},
            {"options": []},
            {"options": {"num_predict": "six"}},
            {"options": {"num_predict": True}},
            {"options": {"num_predict": 1.5}},
            {"options": {"temperature": "hot"}},
            {"options": {"temperature": 10**400}},
            {"options": {"stop": 7}},
            {"options": {"stop": [7]}},
            {"images": "eHl6"},
            {"images": [7]},
            {"tools": {}},
            {"tools": [7]},
            {"messages": "hello"},
            {"messages": [7]},
            {"messages": [{"role": 7}]},
            {"messages": [{"role": "user", "content": []}]},
            {"messages": [{"role": "user", "content": "x", "images": 7}]},
        ],
    )
    def test_a_field_of_the_wrong_kind_is_refused(self, device: httpx.Client, body: dict[str, Any]) -> None:
        path = "/api/chat" if "messages" in body else "/api/generate"
        usual = {"model": "gpt-oss:20b", "prompt": "x"}
        assert refusal(device, path, **{**usual, **body})[0] == 400

    def test_halves_of_characters_do_no_harm(self, device: httpx.Client) -> None:
        content = rb'{"model": "gpt-oss:20b", "prompt": "a\ud83dz", "stream": false}'
        answer = device.post("/api/generate", content=content)
        assert answer.status_code == 200
        assert "a?z" in answer.json()["response"]

    def test_unknown_fields_and_options_are_ignored(self, device: httpx.Client) -> None:
        whole(device, "/api/generate", model="gpt-oss:20b", prompt="x", suffix="", options={"nope": 1}, extra=[1])

    @pytest.mark.parametrize(
        "path", ["/api/generate", "/api/chat", "/api/embed", "/v1/chat/completions", "/api/web_fetch"]
    )
    def test_a_credential_is_needed(self, nobody: httpx.Client, path: str) -> None:
        assert nobody.post(path, json={"model": "gpt-oss:20b"}).status_code == 401

    def test_paths_and_methods_that_are_not_there(self, nobody: httpx.Client) -> None:
        missing, wrong = nobody.get("/api/nothing"), nobody.get("/api/generate")
        assert (missing.status_code, missing.text) == (404, "404 page not found")
        assert (wrong.status_code, wrong.text, wrong.headers["Allow"]) == (405, "405 method not allowed", "POST")
        assert nobody.post("/sandbox/approve").status_code == 404


class TestWeb:
    def test_a_search_has_as_many_results_as_asked(self, device: httpx.Client) -> None:
        results = device.post("/api/web_search", json={"query": "blue sky", "max_results": 2}).json()["results"]
        assert [set(result) for result in results] == [{"title", "url", "content"}] * 2
        assert "blue sky" in results[0]["title"]
        assert results[0]["url"] == "https://example.com/blue%20sky/1"
        assert len(device.post("/api/web_search", json={"query": "x"}).json()["results"]) == 5

    @pytest.mark.parametrize(
        "body", [{}, {"query": " "}, {"query": "x", "max_results": 11}, {"query": "x", "max_results": 0}]
    )
    def test_a_wrong_search_is_refused(self, device: httpx.Client, body: dict[str, Any]) -> None:
        assert refusal(device, "/api/web_search", **body)[0] == 400

    def test_a_page_is_made_up(self, device: httpx.Client) -> None:
        page = device.post("/api/web_fetch", json={"url": "ollama.com"}).json()
        assert set(page) == {"title", "content", "links"}
        assert "ollama.com" in page["title"]

    @pytest.mark.parametrize("url", ["", "file:///etc/passwd", "http://[", "https://"])
    def test_a_wrong_address_is_refused(self, device: httpx.Client, url: str) -> None:
        assert refusal(device, "/api/web_fetch", url=url)[0] == 400


def test_words_are_paced(folder: Any, connect: Callable[..., httpx.Client], key: Any) -> None:
    with EmbeddedSandbox(folder, pace=0.001) as sandbox:
        sandbox.approve(key.public_key, "x")
        body = {"model": "qwen3-coder:480b", "prompt": "x", "options": {"num_predict": 5}}
        last = lines(connect(sandbox, key).post("/api/generate", json=body))[-1]
        assert last["eval_duration"] == 5_000_000

"""Whatever a server answers to a question of ours is read and shown, or is an error of ours, and drives no terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from altering_server import ANSWERS
from hypothesis import given
from hypothesis import strategies as st
from mutations import CONTROLS, changed, damaged, examples, failure_of, odd_texts, written

from ollama_cli.api.client import OllamaClient
from ollama_cli.api.exchange import Exchange
from ollama_cli.api.failures import error_in_stream
from ollama_cli.api.work_failures import error_in_work
from ollama_cli.chat.messages import Message
from ollama_cli.errors import CliError
from ollama_cli.terminal.errors import show_error
from ollama_cli.terminal.model_details import show_model
from ollama_cli.terminal.model_table import show_models, show_running
from ollama_cli.terminal.streams import LastLines, Streams
from ollama_cli.terminal.transfers import TransferProgress


class Shown(io.TextIOWrapper):
    """A stream that says to be a terminal, and keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="replace", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


def shown(show: Callable[[Streams], object]) -> str:
    """What something writes to a terminal, which knows no escape sequences: whatever is one there, is foreign."""
    out, err = Shown(), Shown()
    show(Streams(io.StringIO(), out, err, LastLines(), color=False, dumb=True))
    return out.text + err.text


def shown_error(error: CliError) -> str:
    return shown(lambda streams: show_error(streams, error, as_json=False))


def client_of(answer: Callable[[httpx.Request], httpx.Response]) -> OllamaClient:
    """A client of a server that answers so."""
    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://127.0.0.1:1", trust_env=False)
    return OllamaClient(Exchange(http))


def hearing(body: bytes) -> OllamaClient:
    """A client of a server that answers this to everything."""
    return client_of(lambda _: httpx.Response(200, content=body))


def assert_harmless(read: Callable[[], str]) -> None:
    """Hold that what is read is a text without controls, or an error that is told in one."""
    texts: list[str] = []
    error = failure_of(lambda: texts.append(read()))
    if error is not None:
        assert error.status in range(1, 10)
        json.dumps(error.as_json()).encode()
        texts.append(shown_error(error))
    assert not CONTROLS.search("".join(texts))


def _models(body: bytes) -> str:
    models = hearing(body).models()
    json.dumps([model.as_json() for model in models])
    return shown(lambda streams: show_models(streams, models))


def _running(body: bytes) -> str:
    return shown(lambda streams: show_running(streams, hearing(body).running()))


def _details(body: bytes) -> str:
    info = hearing(body).show("tiny")
    assert info.context_length is not None
    assert isinstance(info.takes_files, bool)
    assert isinstance(info.parent_model, str)
    return shown(lambda streams: show_model(streams, info.told, verbose=True))


def _account(body: bytes) -> str:
    account, _ = hearing(body).account()
    json.dumps([account and account.name, account and account.plan])
    return ""


def _found(body: bytes) -> str:
    for result in hearing(body).web_search("x"):
        assert f"{result.title}{result.url}{result.content}".encode() is not None
    return ""


def _page(body: bytes) -> str:
    page = hearing(body).web_fetch("https://example.com")
    assert "".join([page.title, page.content, *page.links]).encode() is not None
    return ""


def _vector(body: bytes) -> str:
    return json.dumps(hearing(body).embed({"model": "m", "input": "x"})["embeddings"][0])


def _answer(body: bytes) -> str:
    return _chunks(hearing(body).generate({"model": "m"}))


def _message(body: bytes) -> str:
    return _chunks(hearing(body).chat({"model": "m", "messages": []}))


def _chunks(told: Iterator[Any]) -> str:
    rows: list[str] = []
    for chunk in told:
        assert f"{chunk.text}{chunk.thinking}".encode() is not None
        json.dumps([[call.name, call.arguments] for call in chunk.tool_calls])
        if chunk.statistics is not None:
            rows.extend(value for _, value in chunk.statistics.rows())
    return "".join(rows)


def _work(body: bytes) -> str:
    client = hearing(body)

    def show(streams: Streams) -> None:
        with TransferProgress(streams) as progress:
            for step in client.pull("tiny"):
                progress.show(step)

    return shown(show)


READERS: dict[str, Callable[[bytes], str]] = {
    "/api/tags": _models,
    "/api/ps": _running,
    "/api/show": _details,
    "/api/me": _account,
    "/api/web_search": _found,
    "/api/web_fetch": _page,
    "/api/embed": _vector,
    "/api/generate": _answer,
    "/api/chat": _message,
    "/api/pull": _work,
}
ALL = {**ANSWERS, "/api/embed": [{"model": "m", "embeddings": [[0.25, -1, 0.5]], "total_duration": 1}]}


@st.composite
def streams_of(draw: st.DrawFn, documents: list[Any]) -> bytes:
    """The lines of an answer, some of them changed."""
    which = draw(st.integers(0, len(documents) - 1))
    lines = [
        draw(written(document)) if number == which else json.dumps(document).encode()
        for number, document in enumerate(documents)
    ]
    body = draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"])).join(lines)
    return draw(damaged(body)) if draw(st.integers(0, 9)) == 0 else body


@pytest.mark.parametrize("path", READERS)
def test_whatever_is_answered_is_shown_without_harm_or_an_error(path: str) -> None:
    @examples(60)
    @given(streams_of(ALL[path]))
    def check(body: bytes) -> None:
        assert_harmless(lambda: READERS[path](body))

    check()


ERRORS: list[Any] = [
    {"error": "model 'x' not found", "signin_url": "https://ollama.com/connect?name=a&key=b"},
    {"error": {"message": "quota", "code": 429, "type": "x"}, "status_code": 403},
    {"StatusCode": 503, "error": "overloaded (ref: 7f)"},
    {"errors": [{"code": "DENIED", "message": "no", "detail": None}]},
]
SENTENCES = [
    "pull model manifest: file does not exist",
    "open /m/manifests/registry.ollama.ai/ada/x/latest: no such file or directory",
    "unauthorized: access denied to repository",
    "pull model manifest: 429: you have reached your usage limit",
    "Server overloaded, please retry shortly (ref: 7f)",
    "model 'x' not found",
]


@examples(100)
@given(
    st.sampled_from([300, 307, 400, 401, 402, 403, 404, 410, 429, 500, 502, 503, 599]),
    st.sampled_from(ERRORS).flatmap(written) | st.binary(max_size=40),
    odd_texts,
    odd_texts,
)
def test_whatever_is_refused_is_an_error_of_ours(status: int, body: bytes, retry_after: str, date: str) -> None:
    def header(text: str) -> bytes:
        return text.encode("latin-1", "replace")

    def answer(_: httpx.Request) -> httpx.Response:
        headers = [(b"Retry-After", header(retry_after)), (b"Date", header(date)), (b"X-Request-Id", header(date))]
        return httpx.Response(status, headers=headers, content=body)

    def read() -> str:
        client_of(answer).models()
        raise AssertionError

    assert_harmless(read)


@examples(100)
@given(st.sampled_from(ERRORS).flatmap(changed), st.sampled_from(SENTENCES), st.integers(0, 100), odd_texts)
def test_whatever_breaks_off_an_answer_is_an_error_of_ours(content: Any, words: str, at: int, odd: str) -> None:
    content = content if isinstance(content, dict) else {"error": content}
    said = {"error": f"{words[:at]}{odd}{words[at:]}"}
    for told in (content, said):
        for error in (error_in_stream(told, "x"), error_in_work(told, "x"), error_in_work(told, "x", creating=True)):
            assert not CONTROLS.search(shown_error(error))


def test_what_a_model_asked_for_is_sent_back_although_no_text_can_hold_it() -> None:
    """As a chat does with its next question: a tool's arguments go back to the server as they came."""
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        call = {"function": {"name": "look", "arguments": {"at \ud800": "\udfff here"}}}
        return httpx.Response(200, text=json.dumps({"message": {"content": "", "tool_calls": [call]}, "done": True}))

    client = client_of(answer)
    (first,) = client.chat({"model": "m", "messages": []})
    said = Message("assistant", first.text, tool_calls=first.tool_calls)
    list(client.chat({"model": "m", "messages": [said.as_json()]}))
    assert json.loads(sent[1])["messages"][0]["tool_calls"][0]["function"]["arguments"] == {"at ?": "? here"}

"""NDJSON: lines end at line feeds and nowhere else, however the bytes arrive."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_cli.api import events
from ollama_cli.api.events import chunk_of, chunks, lines
from ollama_cli.errors import AnswerError

stream_bytes = st.one_of(
    st.binary(max_size=40),
    st.text(alphabet="a\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\U0001f600", max_size=30).map(str.encode),
)


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        yield data[start:end]


@given(stream_bytes, st.lists(st.integers(0, 80), max_size=8))
def test_lines_end_at_line_feeds_wherever_the_stream_is_cut(data: bytes, cuts: list[int]) -> None:
    *complete, rest = data.split(b"\n")
    assert list(lines(pieces(data, cuts))) == [*complete, *filter(None, [rest])]


@given(
    st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=8), max_size=3), max_size=4),
    st.lists(st.integers(0, 200), max_size=8),
    st.booleans(),
)
@example([{"response": "a\u2028b\u0085c\r\x0b"}], [14], False)
def test_objects_arrive_as_they_were_sent(sent: list[dict[str, str]], cuts: list[int], crlf: bool) -> None:
    end = b"\r\n" if crlf else b"\n"
    data = end.join(json.dumps(item, ensure_ascii=False).encode() for item in sent)
    assert list(chunks(pieces(data, cuts))) == sent


def test_a_stream_of_single_bytes_is_the_same_stream() -> None:
    data = '{"response":"\u00e9\u2028"}\n\n{"done":true}'.encode()
    assert list(chunks(data[i : i + 1] for i in range(len(data)))) == [{"response": "\u00e9\u2028"}, {"done": True}]


def test_a_line_is_given_as_soon_as_it_is_whole() -> None:
    def never_ending() -> Iterator[bytes]:
        yield b'{"a":1}\n{"b"'
        raise AssertionError

    assert next(lines(never_ending())) == b'{"a":1}'


@pytest.mark.parametrize("line", ["nothing", "[1]", "1", "null", '"x"', '{"a":', "<html>", "{}{}"])
def test_a_line_that_is_no_object_is_an_invalid_answer(line: str) -> None:
    with pytest.raises(AnswerError) as caught:
        list(chunks([line.encode()]))
    assert (caught.value.code, caught.value.status) == ("answer_invalid", 8)


@pytest.mark.parametrize("line", [b"\xff", b'{"a":"\xff"}', b"[" * 100_000, b'{"a":' * 100_000])
def test_bytes_that_are_no_json_are_an_invalid_answer(line: bytes) -> None:
    with pytest.raises(AnswerError):
        list(chunks([line]))


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LONGEST_LINE", 100)
    with pytest.raises(AnswerError):
        list(lines(b"x" * size for _ in range(1000)))
    assert list(lines([b"x" * 100, b"\n", b"x" * 100])) == [b"x" * 100, b"x" * 100]


def test_a_line_longer_than_allowed_is_refused_wherever_the_stream_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST_LINE", 100)
    with pytest.raises(AnswerError):
        list(lines([b"x" * 101 + b"\n"]))
    with pytest.raises(AnswerError):
        list(lines([b"x" * 60, b"x" * 60 + b"\n"]))


@pytest.mark.parametrize("content", [{"response": 1}, {"response": ["x"]}, {"thinking": {"x": 1}}])
def test_a_chunk_of_another_type_is_an_invalid_answer(content: dict[str, object]) -> None:
    with pytest.raises(AnswerError):
        chunk_of(content)


def test_a_chunk_without_a_text_is_empty_and_not_the_last() -> None:
    chunk = chunk_of({"response": None, "done": "yes", "done_reason": None})
    assert (chunk.text, chunk.thinking, chunk.done, chunk.done_reason) == ("", "", False, "")

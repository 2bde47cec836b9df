"""What a question and an answer are made of: durations, parameters, names of files, numbers of a vector, schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli.api.durations import format_duration, parse_duration
from ollama_cli.api.parameters import PARAMETERS, parse_assignments, parse_parameter, parse_think
from ollama_cli.api.statistics import Statistics
from ollama_cli.errors import AnswerError, UsageError
from ollama_cli.inference.answer import json_of_vector
from ollama_cli.inference.attachments import existing_files, take_files, unescaped
from ollama_cli.inference.schema import check_answer, parse_format

DATA = Path(__file__).parents[1] / "data"
FILE_NAMES = json.loads((DATA / "vectors" / "file_names.json").read_text(encoding="utf-8"))
BETTER_THAN_RECORDED = {  # there the reference finds another file than the one that is named
    "~/pic.png": ["~/pic.png"],
    "../up.png": ["../up.png"],
    "http://h/x.png": [],
}


@pytest.mark.parametrize("recorded", FILE_NAMES, ids=lambda row: row["input"])
def test_file_names_in_a_prompt(recorded: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda _: True)  # whatever is taken for a name
    text = str(recorded["input"])
    names = [name for name, _ in existing_files(text)]
    assert names == BETTER_THAN_RECORDED.get(text, recorded["raw"] or [])
    if text not in BETTER_THAN_RECORDED:
        assert [unescaped(name) for name in names] == (recorded["normalized"] or [])


@given(st.text(alphabet="ab ./\\~'\"()\n:png", max_size=80))
def test_no_prompt_is_lost_where_there_are_no_such_files(text: str) -> None:
    assert take_files(text) == (text, [])


def test_a_file_that_is_dropped_into_a_terminal_as_an_address(tmp_path: Path) -> None:
    picture = tmp_path / "my cat.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    text, found = take_files(f"what is {picture.as_uri()} ?")
    assert (text, [attachment.path for attachment in found]) == ("what is  ?", [picture])
    assert list(existing_files(f"see file://elsewhere{picture}")) == []


def test_a_slash_in_an_earlier_word_does_not_hide_a_file(tmp_path: Path) -> None:
    picture = tmp_path / "a b.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    written = str(picture).replace(" ", "\\ ")
    assert [path for _, path in existing_files(f"is this and/or that in {written} ?")] == [picture]
    assert take_files(f"see '{picture}' now")[0] == "see  now"


def test_a_word_and_a_colon_do_not_hide_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    monkeypatch.chdir(tmp_path)
    assert take_files("image:./a.png")[0] == "image:"


@pytest.mark.parametrize(
    ("text", "nanoseconds", "canonical"),
    [
        ("5m", 300 * 10**9, "5m0s"),
        ("1h30m", 5400 * 10**9, "1h30m0s"),
        ("1.5h", 5400 * 10**9, "1h30m0s"),
        ("0", 0, "0s"),
        ("-1s", -(10**9), "-1s"),
        ("100ms", 10**8, "100ms"),
        ("1.23456789s", 1234567890, "1.23456789s"),
        ("2µs", 2000, "2µs"),
        ("2us", 2000, "2µs"),
        (".5s", 5 * 10**8, "500ms"),
        ("+90m", 5400 * 10**9, "1h30m0s"),
    ],
)
def test_durations_as_go_has_them(text: str, nanoseconds: int, canonical: str) -> None:
    assert parse_duration(text) == nanoseconds
    assert format_duration(nanoseconds) == canonical


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_a_duration_survives_writing_and_reading(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize("text", ["", "soon", "5", "5 m", "m", "1h-3m", "1d", "-", "٣s", "9999999999h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)


def test_parameters_have_the_types_of_the_reference() -> None:
    assert parse_assignments(["temperature=0.5", "num_ctx=4096", "use_mmap=T", "stop=a=b", "stop=c"]) == {
        "temperature": 0.5,
        "num_ctx": 4096,
        "use_mmap": True,
        "stop": ["a=b", "c"],
    }


@pytest.mark.parametrize(
    "assignments",
    [
        ["temperature"],
        ["warmth=1"],
        ["num_ctx=4.5"],
        ["num_ctx=1_000"],
        ["num_ctx=99999999999999999999"],
        ["temperature=nan"],
        ["temperature=1e39"],
        ["temperature=warm"],
        ["use_mmap=yes"],
        ["seed=1", "seed=2"],
        ["seed="],
    ],
    ids=" ".join,
)
def test_parameters_that_cannot_be(assignments: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_assignments(assignments)


@given(st.sampled_from(sorted(PARAMETERS)), st.text(max_size=40))
def test_a_parameter_is_read_or_refused(name: str, text: str) -> None:
    try:
        value = parse_parameter(name, [text])
    except UsageError:
        return
    assert json.loads(json.dumps(value)) == value


def test_ways_to_think() -> None:
    assert [parse_think(word) for word in ("true", "false", "high")] == [True, False, "high"]
    with pytest.raises(UsageError):
        parse_think("maybe")


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (3.0, "3"),
        (0.1, "0.1"),
        (-2.5e-08, "-2.5e-8"),
        (0.00001, "0.00001"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-0.07730879, "-0.07730879"),
        (10**21, "1e+21"),
    ],
)
def test_numbers_of_a_vector_as_go_writes_them(number: float, written: str) -> None:
    assert json_of_vector([number]) == f"[{written}]"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)))
def test_a_vector_stays_itself(vector: list[float]) -> None:
    for written, number in zip(json.loads(json_of_vector(vector)), vector, strict=True):
        assert float(written) == number


def test_statistics_leave_out_what_was_not_counted() -> None:
    told = Statistics.from_answer({"eval_count": 3, "eval_duration": "long", "total_duration": True})
    assert list(told.rows()) == [("eval count", "3 token(s)")]


@pytest.mark.parametrize("text", ["xml", "[1]", "{", "[" * 100_000], ids=["word", "list", "cut", "deep"])
def test_what_is_no_format(text: str) -> None:
    with pytest.raises(UsageError):
        parse_format(text)


def test_a_format_in_quotes_is_the_same() -> None:
    assert parse_format('"json"') == parse_format("json") == "json"


def test_a_schema_is_never_fetched_from_anywhere() -> None:
    with pytest.raises(AnswerError, match="refers to what is not in it"):
        check_answer("{}", {"$ref": "http://127.0.0.1:1/schema.json"})

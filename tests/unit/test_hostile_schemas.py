"""Whatever a schema holds that was given, and whatever is answered to it: it is kept, or an error of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import changed, examples, failure_of, odd_texts, odd_values, written

from ollama_cli.commands.api.fields import body_of_fields
from ollama_cli.inference.schema import check_answer, read_schema

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.com/a",
    "$defs": {"City": {"type": "string", "pattern": "^[A-Z]", "minLength": 1, "format": "uri"}},
    "type": "object",
    "properties": {
        "city": {"$ref": "#/$defs/City"},
        "people": {"type": "integer", "minimum": 1, "multipleOf": 0.5},
        "more": {"type": "array", "items": {"anyOf": [{"type": "null"}, {"enum": ["a", 1]}]}, "uniqueItems": True},
        "other": {"$dynamicRef": "#x", "not": {"const": 5}},
    },
    "patternProperties": {"^x": {"type": "number"}},
    "additionalProperties": False,
    "required": ["city"],
    "if": {"properties": {"people": {"exclusiveMaximum": 5}}},
    "then": {"dependentRequired": {"city": ["people"]}},
    "unevaluatedProperties": False,
}
ANSWER: Any = {"city": "Oslo", "people": 7, "more": ["a", None], "x": 1.5}
CODES = {"bad_file", "answer_mismatch"}


@examples(60)
@given(written(SCHEMA), changed(ANSWER).map(json.dumps) | odd_texts)
def test_whatever_a_schema_holds_an_answer_is_held_to_it(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, answer: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "schema.json"
    path.write_bytes(content)
    error = failure_of(lambda: check_answer(answer, read_schema(path)))
    assert error is None or error.code in CODES


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"pattern": "("}, '"x"'),
        ({"pattern": "[[a]"}, '"x"'),
        ({"patternProperties": {"[": {}}}, '{"a": 1}'),
        ({"multipleOf": 1e-320}, "1e308"),
        ({"multipleOf": 0.1}, "1" + "0" * 400),
        ({"$ref": "http://["}, "1"),
        ({"$ref": "#/%zz/\ufffd"}, "1"),
        ({"$id": "http://[", "$ref": "a"}, "1"),
        ({"$schema": "http://["}, "1"),
        ({"$ref": "#"}, "1"),
        ({"uniqueItems": True}, "[" + "[" * 400 + "]" * 400 + ", 1]"),
    ],
    ids=str,
)
def test_a_schema_that_cannot_be_held_to_is_told(tmp_path: Path, schema: Any, answer: str) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema), encoding="utf-8")
    error = failure_of(lambda: check_answer(answer, read_schema(path)))
    assert error is None or error.code in CODES


NAMES = st.text("ab[]=", max_size=12) | st.sampled_from(["a[b]", "a[]", "a[][b]", "a[b][]", "a"]) | odd_texts


@examples(100)
@given(st.lists(st.tuples(NAMES, odd_values.map(str) | odd_texts).map("=".join), max_size=4), st.booleans())
def test_whatever_fields_are_given_they_make_a_body_or_are_refused(fields: list[str], typed: bool) -> None:
    given_fields = ([], fields) if typed else (fields, [])
    bodies: list[Any] = []
    if failure_of(lambda: bodies.append(body_of_fields(*given_fields, lambda _: ""))) is None:
        json.dumps(bodies[0], allow_nan=False)


@pytest.mark.parametrize("field", ["a" + "[b]" * 5000 + "=1", "a=1e999", "a=-1e999", "a=[1e999]", "a=" + "9" * 5000])
def test_a_field_out_of_all_bounds_is_refused_or_a_text(field: str) -> None:
    bodies: list[Any] = []
    if failure_of(lambda: bodies.append(body_of_fields([], [field], lambda _: ""))) is None:
        json.dumps(bodies[0], allow_nan=False)

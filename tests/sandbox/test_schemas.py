from __future__ import annotations

from typing import Any

import pytest

from ollama_cli.sandbox.schemas import instance_of


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "example"),
        ({"type": "string", "minLength": 10}, "example..."),
        ({"type": "string", "maxLength": 2}, "ex"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": ["null", "string"]}, "example"),
        ({"type": ["null"]}, None),
        ({"const": 7}, 7),
        ({"enum": ["a", "b"]}, "a"),
        ({"default": [1]}, [1]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"allOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"enum": ["x"]}}}, "x"),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1}),
        ({"type": "object"}, {}),
        ({"type": "object", "required": ["a"]}, {"a": "example"}),
        ({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]}, {"b": "example"}),
        ({"items": {}}, []),
        ({}, "example"),
        (True, None),
        (None, None),
        ({"type": 7}, "example"),
        ({"type": "object", "properties": [], "required": "a"}, {}),
        ({"type": "unknown"}, None),
        ({"enum": []}, "example"),
        ({"$ref": "https://example.com/schema"}, "example"),
        ({"$ref": "#/nowhere", "type": "string"}, None),
    ],
)
def test_a_schema_has_an_instance(schema: Any, value: object) -> None:
    assert instance_of(schema) == value


def test_optional_properties_can_be_there_too() -> None:
    schema = {"properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}, "required": ["a"]}
    assert instance_of(schema, optional=True) == {"a": 1, "b": False}


def test_references_are_followed() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/City"}},
        "required": ["city"],
        "$defs": {"City": {"type": "object", "properties": {"na/me": {"$ref": "#/$defs/a~1b"}}}, "a/b": {"const": "x"}},
    }
    assert instance_of(schema) == {"city": {"na/me": "x"}}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {"type": "object", "properties": {"child": {"$ref": "#"}}, "required": ["child"]},
        {"anyOf": [{"$ref": "#"}]},
        {"type": "array", "minItems": 64, "items": {"$ref": "#"}},
        {"type": "object", "properties": {name: {"$ref": "#"} for name in "abcdefgh"}},
    ],
)
def test_a_schema_that_refers_to_itself_comes_to_an_end(schema: Any) -> None:
    instance_of(schema)

"""The smallest JSON value that a JSON Schema takes: what a stand-in says when it is asked for a shape.

It knows what the schemas of common libraries hold: types, properties, enums, constants, defaults, lengths, bounds,
alternatives, and references within the schema. It does not know patterns.
"""

from __future__ import annotations

from typing import Any

DEEPEST = 12
"""Below this, a schema that refers to itself is given up."""

MOST_VALUES = 5000
"""With more, the rest of a value is left out: a short schema can ask for very many."""

_LONGEST = 64
"""No list or text is made longer than this, whatever the schema asks."""


def instance_of(schema: Any, *, text: str = "example", optional: bool = False) -> Any:
    """A value that a schema takes.

    Args:
        schema: A JSON Schema; anything else is taken for one that takes everything.
        text: What texts say.
        optional: Whether properties that may be left out are there too.
    """
    return _Maker(schema, text, optional).make(schema, 0)


class _Maker:
    def __init__(self, root: Any, text: str, optional: bool) -> None:
        self._root = root
        self._text = text
        self._optional = optional
        self._left = MOST_VALUES

    def make(self, schema: Any, depth: int) -> Any:
        self._left -= 1
        schema = self._followed(schema)
        if not isinstance(schema, dict) or depth > DEEPEST or self._left < 0:
            return None
        if "const" in schema:
            return schema["const"]
        for name in ("enum", "examples"):
            if isinstance(schema.get(name), list) and schema[name]:
                return schema[name][0]
        if "default" in schema:
            return schema["default"]
        for name in ("anyOf", "oneOf", "allOf"):
            if isinstance(schema.get(name), list) and schema[name] and "properties" not in schema:
                return self.make(schema[name][0], depth + 1)
        return self._of_kind(_kind(schema), schema, depth)

    def _of_kind(self, kind: str, schema: dict[str, Any], depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            count = _bound(schema, "minItems", 0)
            return [self.make(schema.get("items"), depth + 1) for _ in range(count)]
        if kind == "string":
            shortest, longest = _bound(schema, "minLength", 0), _bound(schema, "maxLength", _LONGEST)
            return self._text.ljust(shortest, ".")[: max(shortest, longest)]
        if kind in {"integer", "number"}:
            return _number(schema, kind)
        return False if kind == "boolean" else None

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        required = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        names = list(properties) if self._optional or not required else required
        return {name: self.make(properties.get(name, {"type": "string"}), depth + 1) for name in names}

    def _followed(self, schema: Any) -> Any:
        """The schema that a reference names, such as ``#/$defs/City``."""
        for _ in range(DEEPEST):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str) or not reference.startswith("#"):
                return schema
            schema = self._root
            for part in reference.removeprefix("#").strip("/").split("/"):
                key = part.replace("~1", "/").replace("~0", "~")
                schema = schema.get(key) if isinstance(schema, dict) and key else schema
        return None


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _bound(schema: dict[str, Any], name: str, default: int) -> int:
    value = schema.get(name)
    known = isinstance(value, int) and not isinstance(value, bool)
    return min(max(value, 0), _LONGEST) if known and value is not None else default


def _number(schema: dict[str, Any], kind: str) -> float:
    for name, step in (("minimum", 0), ("exclusiveMinimum", 1), ("maximum", 0), ("exclusiveMaximum", -1)):
        value = schema.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value) + step if kind == "integer" else value + step
    return 1

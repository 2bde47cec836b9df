"""JSON Schemas that an answer has to keep: read, given to the model, and checked afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_cli.api.foreign_json import exact_value_of
from ollama_cli.errors import AnswerError, UsageError

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


def parse_format(text: str) -> str | dict[str, Any] | None:
    """Read the value of ``--format``: ``json``, or a JSON Schema written out; nothing is no format.

    Raises:
        UsageError: It is neither.
    """
    if text in {"", "json"}:
        return text or None
    try:
        schema = exact_value_of(text)
    except (ValueError, RecursionError):
        schema = None
    if schema == "json":  # in quotes
        return "json"
    if not isinstance(schema, dict):
        raise UsageError("--format takes json, or a JSON Schema written out.", hint="A file is named with --schema.")
    return schema


def read_schema(path: Path) -> dict[str, Any]:
    """Read a JSON Schema from a file.

    Raises:
        UsageError: It cannot be read, or is no JSON Schema.
    """
    from jsonschema.exceptions import SchemaError

    try:
        schema = exact_value_of(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", code="bad_file") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON.", code="bad_file") from error
    if not isinstance(schema, dict):
        raise UsageError(f"{path} is no JSON Schema: that is an object.", code="bad_file")
    if not isinstance(schema.get("$schema", ""), str):
        raise UsageError(f"{path} is no JSON Schema: its $schema is no text.", code="bad_file")
    try:
        with _nothing_said():
            _validator(schema).check_schema(schema)
    except SchemaError as error:
        raise UsageError(f"{path} is no JSON Schema: {error.message}.", code="bad_file") from error
    except RecursionError as error:
        raise UsageError(f"{path} cannot be used: it is nested too deeply.", code="bad_file") from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON Schema: an address in it is none.", code="bad_file") from error
    return schema


def check_answer(text: str, schema: dict[str, Any]) -> None:
    """Check that an answer is JSON that keeps a schema. References to other documents are not followed.

    Raises:
        AnswerError: It is not.
    """
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    try:
        content = exact_value_of(text)
    except (ValueError, RecursionError) as error:
        raise AnswerError("The answer is no JSON, as the schema asks for.", code="answer_mismatch") from error
    validator = _validator(schema)(schema, registry=Registry())
    try:
        with _nothing_said():
            fault = next(validator.iter_errors(content), None)
    except Unresolvable as error:
        raise AnswerError(
            "The answer cannot be checked: the schema refers to what is not in it.", code="answer_mismatch"
        ) from error
    except RecursionError as error:
        raise AnswerError(
            "The answer cannot be checked: it is nested too deeply, or the schema refers to itself without end.",
            code="answer_mismatch",
        ) from error
    except (ValueError, ArithmeticError, re.error) as error:  # what the library does not foresee
        raise AnswerError(
            "The answer cannot be checked: a number is too large, or an address or a pattern in the schema is none.",
            code="answer_mismatch",
        ) from error
    if fault is not None:
        raise AnswerError(
            f"The answer does not keep the schema at {fault.json_path}: {' '.join(fault.message.split())[:300]}.",
            hint="The answer is kept as it came; ask again, or loosen the schema.",
            code="answer_mismatch",
        )


@contextmanager
def _nothing_said() -> Iterator[None]:
    """Have Python not tell a person of patterns that it may read in another way one day."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _validator(schema: dict[str, Any]) -> type[Validator]:
    """The validator for the draft that a schema names; the latest where it names none that is known."""
    from jsonschema.validators import Draft202012Validator, validator_for

    return validator_for(schema, default=Draft202012Validator)

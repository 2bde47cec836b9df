"""Whatever JSON a server sends is a value that can be counted with, or none."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli.api.foreign_json import value_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(-(10**500), 10**500),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def numbers_in(value: object) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(item)


@given(VALUES)
def test_every_number_is_one_that_can_be_divided(value: object) -> None:
    try:
        read = value_of(json.dumps(value).encode())
    except ValueError:
        return
    assert all(math.isfinite(number / 3) for number in numbers_in(read))


@given(st.binary())
def test_any_bytes_are_a_value_or_a_value_error(body: bytes) -> None:
    try:
        value_of(body)
    except (ValueError, RecursionError):
        return


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "[1, NaN]"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        value_of(text.encode())


def test_numbers_of_64_bits_stay_exact() -> None:
    assert value_of(b"\xef\xbb\xbf[18446744073709551615, -9223372036854775808]") == [2**64 - 1, -(2**63)]


@pytest.mark.parametrize("digits", [26, 400, 5000])
def test_a_whole_number_out_of_all_bounds_is_as_much_as_can_be_counted(digits: int) -> None:
    """Such as the size of a model, which is only told."""
    assert value_of(b"[" + b"9" * digits + b", -" + b"9" * digits + b"]") == [10**25, -(10**25)]

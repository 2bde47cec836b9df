"""Sizes, counts and times in words, as the reference's tables have them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ollama_cli.terminal.model_metadata import value_in_words
from ollama_cli.terminal.model_table import processor
from ollama_cli.terminal.words import count_in_words, moment_of, short_number, size_in_words, time_in_words

FORMATS = json.loads((Path(__file__).parents[1] / "data" / "vectors" / "formats.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("recorded", FORMATS["bytes"], ids=lambda recorded: str(recorded["bytes"]))
def test_sizes_and_counts(recorded: dict[str, Any]) -> None:
    assert size_in_words(recorded["bytes"]) == recorded["human_bytes"]
    assert count_in_words(recorded["bytes"]) == recorded["human_number"]


@pytest.mark.parametrize("recorded", FORMATS["times"], ids=lambda recorded: str(recorded["seconds_ago"]))
def test_times(recorded: dict[str, Any]) -> None:
    away = timedelta(seconds=recorded["seconds_ago"])
    assert time_in_words(NOW - away, now=NOW) == recorded["human_time"]
    if away:
        assert time_in_words(NOW + away, now=NOW) == recorded["in_future"]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "", "yesterday"])
def test_no_time(text: str) -> None:
    assert time_in_words(moment_of(text)) == FORMATS["zero_time"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (131072, "131072"),
        (999_999, "999999"),
        (1_000_000, "1e+06"),
        (1_235_814_432, "1.235814432e+09"),
        (-2.5, "-2.5"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e100, "1e+100"),
        (float("inf"), "Infinity"),
    ],
)
def test_numbers_of_metadata(value: float, shown: str) -> None:
    assert short_number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\x1b[31mb", "ab"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ([1, 2, 3], "[1 2 3]"),
        (["a", "b", "c", "d", "e"], "[a b c ...+2 more]"),
        (["a long first word", "b"], "[a long first word ...+1 more]"),
    ],
)
def test_values_of_metadata(value: object, shown: str) -> None:
    assert value_in_words(value) == shown


@pytest.mark.parametrize(
    ("size", "size_vram", "shown"),
    [
        (1000, 0, "100% CPU"),
        (1000, 1000, "100% GPU"),
        (1000, 255, "75%/25% CPU/GPU"),
        (0, 5, "Unknown"),
        (5, 9, "Unknown"),
        (0, -1, "Unknown"),
        (1000, -5, "Unknown"),
    ],
)
def test_where_a_model_computes(size: int, size_vram: int, shown: str) -> None:
    assert processor(size, size_vram) == shown

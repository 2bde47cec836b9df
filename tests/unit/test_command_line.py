"""Optional values are taken after ``=`` only, and a prompt is never swallowed."""

from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_cli.commands.command_line import normalised
from ollama_cli.errors import UsageError

FLAGS = {"--json", "--verbose"}
VALUED = {"--system", "-s"}
OPTIONAL = {"--think": "true", "--keepalive": "5m"}

Segment: TypeAlias = tuple[str, ...]
Meaning: TypeAlias = tuple[list[str], list[Segment], set[str], dict[str, str]]

words = st.one_of(st.sampled_from(["why", "high", "true", "a=b", "", "-", "--json=1"]), st.text(max_size=6))
prompt_words = words.filter(lambda word: not word.startswith("-"))
segments = st.one_of(
    st.tuples(prompt_words),
    st.tuples(st.sampled_from(sorted(VALUED)), st.one_of(words, st.sampled_from(["--json", "--think", "--", "-s"]))),
    st.tuples(st.sampled_from([f"{flag}{value}" for flag in sorted(FLAGS) for value in ("", "=true", "=F", "=0")])),
    st.tuples(st.sampled_from(["--think", "--think=high", "--keepalive", "--keepalive=", "--keepalive=0"])),
)


def read(*args: str) -> list[str]:
    return normalised(args, FLAGS, VALUED, OPTIONAL)


def intended(parts: list[Segment]) -> Meaning:
    """What a person meant who typed these parts."""
    prompt: list[str] = []
    values: list[Segment] = []
    on: set[str] = set()
    optional: dict[str, str] = {}
    for part in parts:
        name, equals, value = part[0].partition("=")
        if len(part) == 2:
            values.append(part)
        elif name in FLAGS:
            (on.discard if equals and value in {"F", "0"} else on.add)(name)
        elif name in OPTIONAL:
            optional[name] = value if equals else OPTIONAL[name]
        else:
            prompt.append(part[0])
    return prompt, values, on, optional


def understood(args: list[str]) -> Meaning:
    """What Typer makes of arguments: ``--name value``, ``--name=value``, ``--switch`` and words."""
    prompt: list[str] = []
    values: list[Segment] = []
    on: set[str] = set()
    optional: dict[str, str] = {}
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        name, equals, value = arg.partition("=")
        if arg in VALUED:
            values.append((arg, rest.pop(0)))
        elif arg in FLAGS:
            on.add(arg)
        elif name in OPTIONAL and equals:
            optional[name] = value
        else:
            prompt.append(arg)
    return prompt, values, on, optional


@given(st.lists(segments, max_size=8))
@example([("--system", "--json"), ("why",), ("--json=0",)])
@example([("--think",), ("high",), ("--keepalive",), ("why",)])
def test_every_word_and_value_arrives_where_it_was_meant(parts: list[Segment]) -> None:
    args = [arg for part in parts for arg in part]
    assert understood(read(*args)) == intended(parts)


@given(st.lists(words, max_size=6), st.lists(st.tuples(prompt_words), max_size=3))
def test_what_follows_two_dashes_is_left_alone(tail: list[str], before: list[Segment]) -> None:
    head = [word for part in before for word in part]
    assert read(*head, "--think", "--", *tail) == [*head, "--think=true", "--", *tail]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--think", "high"], ["--think=true", "high"]),
        (["--think=high", "why"], ["--think=high", "why"]),
        (["--keepalive", "10m"], ["--keepalive=5m", "10m"]),
        (["--json=true", "why"], ["--json", "why"]),
        (["--json=false", "why"], ["why"]),
        (["--json", "--json=false"], []),
        (["--json=false", "--json"], ["--json"]),
        (["--system", "--think", "why"], ["--system", "--think", "why"]),
        (["--system=--think"], ["--system=--think"]),
        (["-s"], ["-s"]),
        (["--unknown", "why"], ["--unknown", "why"]),
        ([], []),
    ],
)
def test_arguments_become_what_typer_reads(args: list[str], expected: list[str]) -> None:
    assert read(*args) == expected


@pytest.mark.parametrize("value", ["", "yes", "2", "tRUE", "why"])
def test_a_switch_takes_true_or_false_and_nothing_else(value: str) -> None:
    with pytest.raises(UsageError, match="--json"):
        read(f"--json={value}")

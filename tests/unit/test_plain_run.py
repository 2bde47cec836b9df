"""A line of ``run`` without options is read as Typer reads it, and without Typer."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli.app import root_command
from ollama_cli.commands.run import one_shot
from ollama_cli.commands.run.options import RunOptions
from ollama_cli.commands.run.plain import plain_question
from ollama_cli.terminal.streams import LastLines, Streams

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(
    ["", " ", "=", "--", "-", "--help", "--json", "-o", "run", "\udcff", "a b", "--think=low", "--sandbox"]
)


def read_by_typer(args: list[str]) -> RunOptions:
    """What Typer makes of a line, where it takes it."""
    asked: list[RunOptions] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_shot, "run", lambda _, options: asked.append(options))
        streams = Streams(io.StringIO(), io.StringIO(), io.StringIO(), LastLines())
        command: Any = root_command()
        with command.make_context("ollama-cli", args, obj=streams) as context:
            command.invoke(context)
    return asked[0]


@given(st.lists(WORDS, max_size=4))
def test_what_is_read_without_typer_is_what_typer_reads(words: list[str]) -> None:
    args = ["run", *words]
    question = plain_question(args)
    if any(word.startswith("-") for word in words) or not words:
        assert question is None
    else:
        assert question == read_by_typer(args)


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["run"],
        ["list", "a"],
        ["--sandbox", "run", "a", "b"],
        ["run", "-h"],
        ["run", "a", "--", "-x"],
        ["chats", "run"],
    ],
)
def test_every_other_line_is_typer_s(args: list[str]) -> None:
    assert plain_question(args) is None

"""Every answer that was recorded at a real daemon is understood: an error has its status, the rest is read whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ollama_cli.api.events import Chunk, chat_chunk_of, chunk_of, chunks
from ollama_cli.api.failures import error_for
from ollama_cli.api.model_info import ModelInfo
from ollama_cli.api.model_list import models_of, running_of
from ollama_cli.api.work_steps import WorkStep

FOLDER = Path(__file__).parents[1] / "data" / "daemon"
REFUSALS = {
    "blob_badsum": 2,
    "blob_head_missing": 2,
    "chat_badthink": 2,
    "chat_missing": 3,
    "chat_think_unsupported": 2,
    "chat_tools_unsupported": 2,
    "copy_missing": 3,
    "create_nofrom": 2,
    "delete_missing": 3,
    "embed_completion_model": 7,
    "embed_long": 2,
    "gen_badformat": 7,
    "gen_badjson": 2,
    "gen_badname": 2,
    "gen_badopt": 7,
    "gen_embed_model": 2,
    "gen_image": 2,
    "gen_missing": 3,
    "gen_nobody": 2,
    "gen_nomodel": 3,
    "gen_notrunc": 2,
    "gen_suffix": 2,
    "notfound": 7,
    "pull_noreg": 7,
    "show_missing": 3,
    "v1_missing": 3,
    "wrongmethod": 2,
}
"""What an answer that is no success ends a command with; the reference tells some mistakes as its own (500)."""


def recorded(name: str) -> tuple[dict[str, Any], int, bytes]:
    """The body that was sent, and status and body of the answer."""
    asked, _, answered = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    head, _, body = answered.partition("\n\n")
    sent = asked.partition("\n")[2].removeprefix(">>> ")
    try:
        content = json.loads(sent)
    except ValueError:  # a file, nothing, or the mistake that is answered
        content = {}
    return content, int(head.split()[1]), body.encode()


ANSWERS = {path.stem: recorded(path.stem) for path in sorted(FOLDER.glob("*.txt"))}


def names(*starts: str) -> list[str]:
    return [name for name, (_, status, _) in ANSWERS.items() if status < 300 and name.startswith(starts)]


def test_the_answers_that_are_no_success_are_these() -> None:
    assert set(REFUSALS) == {name for name, (_, status, _) in ANSWERS.items() if status >= 300}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_a_status_and_the_daemons_words(name: str) -> None:
    sent, status, body = ANSWERS[name]
    model = sent.get("model", sent.get("source", "" if name == "gen_nomodel" else None))
    error = error_for(status, body, model=model)
    assert error.status == REFUSALS[name], error
    assert error.told_by_api == bool(body.strip())


@pytest.mark.parametrize("name", names("gen_", "chat_"))
def test_an_answer_of_a_model_is_read_to_its_end(name: str) -> None:
    read = chunk_of if name.startswith("gen_") else chat_chunk_of
    told: list[Chunk] = [read(content) for content in chunks([ANSWERS[name][2]])]
    assert [chunk.done for chunk in told] == [False] * (len(told) - 1) + [True]
    assert told[-1].done_reason in {"stop", "length", "load", "unload"}


@pytest.mark.parametrize("name", names("create", "pull", "push"))
def test_work_on_a_model_is_read_step_by_step(name: str) -> None:
    events = list(chunks([ANSWERS[name][2]]))
    steps = [WorkStep.from_event(content) for content in events if "error" not in content]
    assert all(step.status for step in steps)
    assert ("error" in events[-1]) == (steps[-1].status != "success")


def test_lists_and_details_are_read() -> None:
    assert models_of(json.loads(ANSWERS["tags"][2]))
    for name in ("ps_loaded", "ps_after", "ps_empty"):
        assert running_of(json.loads(ANSWERS[name][2]))
    assert ModelInfo.from_answer(json.loads(ANSWERS["show"][2])).told

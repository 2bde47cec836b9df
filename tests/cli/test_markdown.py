"""``run --markdown``: an answer laid out at a terminal, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from support import Cli
from terminals import finish, pexpect_child, screen

MODEL = "qwen3-coder:480b-cloud"
SKY = "Why is the sky blue?"
COLORS = re.compile(r"\x1b\[[0-9;]*3[0-7]")


def answer(
    signed_in: Cli, *options: str, columns: int = 80, env: Mapping[str, str] | None = None
) -> tuple[str, list[str]]:
    """What is printed at a terminal, and what then stands there."""
    device = Cli(signed_in.home, signed_in.environment | dict(env or {}))
    status, printed = finish(pexpect_child(device, "run", *options, MODEL, SKY, columns=columns))
    assert status == 0
    return printed, [row.rstrip() for row in screen(printed, 24, columns).display]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_an_answer_is_laid_out(signed_in: Cli, columns: int) -> None:
    printed, rows = answer(signed_in, "--markdown", columns=columns)
    assert "air sends blue light" in " ".join(rows)
    assert "\x1b[1mblue\x1b[0m" in printed
    assert "\x1b[3mRayleigh scattering\x1b[0m" in printed or columns == 40
    assert rows[rows.index("") + 1].startswith("- By day, blue")
    assert max(map(len, rows)) <= columns - 5
    assert COLORS.search(printed)


@pytest.mark.parametrize("options", [(), ("--plain",)], ids=["default", "plain"])
def test_one_answer_is_shown_as_it_is_written_unless_asked_for_otherwise(
    signed_in: Cli, options: tuple[str, ...]
) -> None:
    _, rows = answer(signed_in, *options)
    assert "**blue**" in " ".join(rows)


def test_without_colours_the_structure_stays(signed_in: Cli) -> None:
    printed, rows = answer(signed_in, "--markdown", env={"NO_COLOR": "1"})
    assert not COLORS.search(printed)
    assert "\x1b[1mblue\x1b[0m" in printed
    assert "`1 / wavelength**4`" in " ".join(rows)


def test_a_dumb_terminal_gets_the_text(signed_in: Cli) -> None:
    printed, _ = answer(signed_in, "--markdown", env={"TERM": "dumb"})
    assert "\x1b" not in printed
    assert "**blue**" in printed


def test_a_pipe_gets_the_text(signed_in: Cli) -> None:
    text = signed_in("run", "--markdown", MODEL, SKY).stdout
    assert "\x1b" not in text
    assert "sends **blue** light around the sky more than red. Its molecules" in text

"""Lines end between words, whatever pieces a text comes in; nothing is shown twice or lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wcwidth import iter_graphemes, wcswidth

from ollama_cli.terminal.wrapping import MARGIN, Wrapper

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "vectors" / "word_wrap.json").read_text("utf-8")
)
LONG_WORD, TABS = 2, 4  # where the reference prints a word twice, and counts a tab as nothing


def screen_of(output: str, width: int) -> list[str]:
    screen = pyte.Screen(width, 24)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed(output)
    return "\n".join(line.rstrip() for line in screen.display).rstrip().split("\n")


def wrapped(pieces: Iterable[str], width: int) -> str:
    wrapper = Wrapper(lambda: width)
    return "".join(wrapper.feed(piece) for piece in pieces)


def written(pieces: Iterable[str], width: int) -> str:
    """What stands there in the end: with what was taken back out again, and without blanks that nobody sees."""
    first, *others = re.split(r"(\x1b\[\d+D\x1b\[K)", wrapped(pieces, width))
    for back, text in zip(others[::2], others[1::2], strict=True):
        *lines, last = first.split("\n")
        clusters, cells = list(iter_graphemes(last)), int(re.sub(r"\D", "", back[:-3]))
        while cells > 0:
            cells -= wcswidth(clusters.pop())
        assert cells == 0
        first = "\n".join([*lines, "".join(clusters)]) + text
    return "\n".join(line.rstrip(" \t") for line in first.split("\n"))


def visible(text: str) -> list[str]:
    return [cluster for cluster in iter_graphemes(re.sub(r"[ \t\n]", "", text)) if wcswidth(cluster) > 0]


def cut(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("number", [number for number in range(len(VECTORS)) if number not in {LONG_WORD, TABS}])
def test_the_screen_is_the_reference_s(number: int) -> None:
    vector = VECTORS[number]
    expected = screen_of(vector["output"], vector["width"])
    assert screen_of(wrapped(vector["chunks"], vector["width"]), vector["width"]) == expected
    assert screen_of(wrapped("".join(vector["chunks"]), vector["width"]), vector["width"]) == expected


def test_a_word_that_is_longer_than_a_line_runs_over_the_edge_and_is_shown_once() -> None:
    (text,) = VECTORS[LONG_WORD]["chunks"]
    for pieces in ([text], text):
        assert wrapped(pieces, 80) == text
    assert screen_of(wrapped(["see ", text, " and so on"], 80), 80) == ["see", text[:80], f"{text[80:]} and so on"]


def test_tabs_take_what_they_take() -> None:
    (text,) = VECTORS[TABS]["chunks"]
    for pieces in ([text], text):
        assert screen_of(wrapped(pieces, 80), 80) == [
            "tab     separated       values and more of them to make it wrap around the",
            "corner of the terminal ok",
        ]


def test_a_word_is_shown_as_soon_as_a_part_of_it_is_there() -> None:
    wrapper = Wrapper(lambda: 20)
    assert [wrapper.feed(piece) for piece in ["some words ", "fo", "ll", "ow", " here"]] == [
        "some words ",
        "fo",
        "ll",
        "\x1b[4D\x1b[K\nfollow",
        " here",
    ]


def test_within_a_piece_nothing_has_to_be_taken_back() -> None:
    assert wrapped(["The quick brown fox jumps over the lazy dog."], 20) == (
        "The quick \nbrown fox \njumps over the \nlazy dog."
    )


def test_code_keeps_its_indentation_and_its_empty_lines() -> None:
    code = "def f(x):\n\tif x:\n        return  x\n\n\n    pass\n"
    assert wrapped([code], 40) == code


@pytest.mark.parametrize("width", [0, 1, 5, 9])
def test_where_a_terminal_is_hardly_one_nothing_is_wrapped(width: int) -> None:
    text = "The quick brown fox  \tjumps 日本語 over\n the lazy dog."
    assert wrapped(text, width) == wrapped([text], width) == text


def test_the_width_is_followed() -> None:
    widths = iter([40, 40, 20, 20, 80, 80])
    wrapper = Wrapper(lambda: next(widths))
    words = [
        "These words fit on a line of forty",
        " of it",
        " narrower now\n",
        "a narrow one ends here",
        " wide",
        " again, as one may see",
    ]
    shown = "".join(wrapper.feed(piece) for piece in words)
    assert shown == (
        "These words fit on a line of forty \nof it narrower \nnow\na narrow one \nends here wide again, as one may see"
    )


CLUSTERS = ["e\u0301", "👨\u200d👩\u200d👧", "👍🏽", "❤\ufe0f", "🇩🇪", "1\ufe0f\u20e3", "日", "ก็", "한"]


@pytest.mark.parametrize("cluster", CLUSTERS, ids=ascii)
def test_a_character_of_several_code_points_takes_its_columns_once_however_it_is_cut(cluster: str) -> None:
    cells = wcswidth(cluster)
    room = 20 - MARGIN
    fitting = (room - len("x ")) // cells
    for word in (cluster * fitting, cluster * (fitting + 2)):
        for pieces in ([f"x {word}"], f"x {word}", ["x ", word[:1], word[1:]]):
            first, *others = written(pieces, 20).split("\n")
            if len(word) == len(cluster) * fitting:
                assert (first, others) == (f"x {word}", [])
            else:
                assert wcswidth(first) <= room + 1
                assert "".join([first, *others]).replace(" ", "") == f"x{word}"


plain_text = st.text(alphabet="abc   \n\t日本é—", max_size=80)
any_text = st.lists(
    st.one_of(st.sampled_from([*CLUSTERS, "\u200d", "\u0301", "\ufe0f", " ", "\n", "word"]), st.text(max_size=4)),
    max_size=40,
).map(lambda parts: re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", "".join(parts)))
widths = st.integers(10, 40)
cuts = st.lists(st.integers(0, 80), max_size=20)


@given(plain_text, widths, cuts)
@example("aaaa bbbbb c", 15, [7, 9])
@example("aaaaaaaaaaaaaaaaaaaaaa b", 15, [3])
def test_where_a_text_is_cut_makes_no_difference(text: str, width: int, cuts: list[int]) -> None:
    whole = written([text], width)
    assert written(cut(text, cuts), width) == whole
    assert written(text, width) == whole


def columns_of(line: str) -> int:
    """The columns that a terminal takes for a line, with its tabs."""
    first, *others = line.rstrip().split("\t")
    columns = wcswidth(first)
    for part in others:
        columns = (columns // 8 + 1) * 8 + wcswidth(part)
    return columns


@given(plain_text, widths, cuts)
@example("日\ta日", 15, [])
def test_no_line_is_wider_than_the_terminal_but_for_a_word_that_is(text: str, width: int, cuts: list[int]) -> None:
    for line in written(cut(text, cuts), width).split("\n"):
        assert columns_of(line) <= width - MARGIN + 1 or wcswidth(line.split()[0]) > width - MARGIN


@given(any_text, widths, cuts)
@example("aaaa \u200da", 10, [6])  # a joiner is not taken back with the word that it begins
@example("a \u200daaaa", 10, [4])
def test_every_character_is_shown_once_and_in_its_order(text: str, width: int, cuts: list[int]) -> None:
    assert visible(written(cut(text, cuts), width)) == visible(text)

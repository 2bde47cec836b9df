"""No control sequence of a foreign text reaches a terminal, however it is split."""

import re
from itertools import pairwise

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_cli.terminal.sanitize import Sanitizer, clean, clean_line

SEQUENCES = [
    "\x1b[2J",
    "\x1b[H",
    "\x1b[31m",
    "\x1b[?1049h",
    "\x1b[1;5H",
    "\x9b5A",
    "\x1b]0;title\x07",
    "\x1b]52;c;ZWNobw==\x1b\\",
    "\x1b]8;;https://evil.example/\x1b\\",
    "\x9d0;title\x9c",
    "\x1bPq#0\x1b\\",
    "\x1b_apc\x1b\\",
    "\x1b^pm\x1b\\",
    "\x1bXsos\x1b\\",
    "\x1bc",
    "\x1b7",
    "\x1bM",
    "\x1b(0",
    "\x1b#8",
]
fragments = st.one_of(
    st.sampled_from(
        [*SEQUENCES, "\x1b", "\x9b", "\x1b[", "\x1b]", "\x1b\\", "\x07", "\r", "\b", "\n", "\t", "\x0e", "\u202e"]
    ),
    st.text(max_size=5),
    st.text(alphabet="[]0;mHJ\\P\x1b\x07\x9c\x9d\x90", max_size=5),
)
hostile_text = st.lists(fragments, max_size=12).map("".join)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def in_pieces(text: str, cuts: list[int]) -> str:
    sanitizer = Sanitizer()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return "".join(sanitizer.feed(text[start:end]) for start, end in pairwise(edges)) + sanitizer.end()


@given(hostile_text, st.lists(st.integers(0, 60), max_size=8))
@example("a\x1b\x1b[2Jb", [2])
@example("\x1b]0;t\x1b[31m\x07x", [5])
@example("\x1b[3\n1mx", [3])
@example("\x1b]0;t\x1b", [4])
@example("\x9f never ended", [1])
@example("\x1bP\x18text", [2])
def test_where_a_text_is_cut_makes_no_difference(text: str, cuts: list[int]) -> None:
    assert in_pieces(text, cuts) == clean(text)


@given(hostile_text)
def test_a_text_that_comes_a_character_at_a_time_is_the_same(text: str) -> None:
    assert in_pieces(text, list(range(len(text)))) == clean(text)


@given(hostile_text)
def test_no_control_character_but_line_feed_and_tab_is_left(text: str) -> None:
    assert not CONTROLS.search(clean(text))


@given(hostile_text)
def test_a_line_of_ours_stays_one_line(text: str) -> None:
    line = clean_line(text)
    assert line.splitlines() in ([], [line])
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)


unsuspicious = st.characters(
    exclude_categories=["Cc", "Cs"], exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


@given(st.text(alphabet=unsuspicious, max_size=40), st.lists(st.integers(0, 40)))
def test_a_text_without_control_characters_passes_unchanged(text: str, cuts: list[int]) -> None:
    assert in_pieces(text, cuts) == text


def test_line_feeds_and_tabs_pass() -> None:
    assert clean("a\n\tb\r\nc") == "a\n\tb\nc"


@pytest.mark.parametrize("sequence", SEQUENCES, ids=ascii)
def test_a_whole_sequence_goes_and_the_text_around_it_stays(sequence: str) -> None:
    assert clean(f"before{sequence}after") == "beforeafter"
    assert clean_line(f"before{sequence}after") == "beforeafter"


@pytest.mark.parametrize("sequence", SEQUENCES, ids=ascii)
def test_a_sequence_never_moves_a_terminal_s_cursor(sequence: str) -> None:
    for cut in range(len(sequence)):
        sanitizer = Sanitizer()
        text = f"answer{sequence}"
        shown = sanitizer.feed(text[: len("answer") + cut])
        shown += sanitizer.feed(text[len("answer") + cut :])
        screen = pyte.Screen(80, 24)
        pyte.Stream(screen).feed(shown + sanitizer.end())
        assert (screen.cursor.y, screen.cursor.x) == (0, len("answer"))
        assert screen.display[0].rstrip() == "answer"
        assert screen.title == ""


@pytest.mark.parametrize("beginning", ["\x1b]0;", "\x9d", "\x1bP", "\x90", "\x98", "\x1b_"], ids=ascii)
def test_a_sequence_that_never_ends_does_not_swallow_the_answer(beginning: str) -> None:
    sanitizer = Sanitizer()
    shown = sanitizer.feed(beginning)
    for _ in range(1000):
        shown += sanitizer.feed("ten chars.")
    assert shown.endswith("ten chars.")
    assert not CONTROLS.search(shown + sanitizer.end())


@pytest.mark.parametrize("end", ["\x18", "\x1a"], ids=ascii)
def test_a_sequence_that_is_broken_off_ends_where_a_terminal_ends_it(end: str) -> None:
    assert clean(f"\x1b]0;title{end}answer\nmore") == "answer\nmore"


@pytest.mark.parametrize("beginning", ["\x1b", "\x1b[3", "\x1b]0;t", "\x9b3", "\x9d0;t", "\x98t"], ids=ascii)
def test_a_text_that_ends_inside_a_sequence_loses_its_control_characters_only(beginning: str) -> None:
    assert clean(f"answer{beginning}") == "answer" + CONTROLS.sub("", beginning)


@pytest.mark.parametrize("unit", ["\x90", "\x1b]", "\x1b[1", "\x1b", "\x9b "], ids=ascii)
def test_a_hostile_text_of_a_megabyte_is_cleaned_at_once(unit: str) -> None:
    assert not CONTROLS.search(clean(unit * (1_000_000 // len(unit))))

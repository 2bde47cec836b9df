"""An answer in Markdown at a terminal: the same screen whatever pieces it comes in, and only clean text on it."""

from __future__ import annotations

import os
import re
import termios
from collections.abc import Iterable, Iterator
from typing import TextIO

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_cli.terminal.markdown import MarkdownText

SGR = re.compile(r"\x1b\[[0-9;]*m")
OURS = re.compile(r"\x1b\[[0-9;]*m|\r(?:\x1b\[\d+A)?\x1b\[J")
BOX = re.compile(r"[\u2500-\u259f|]")


class Terminal:
    """A terminal of some size, and all that is on it, what has scrolled away included."""

    def __init__(self, stream: TextIO, columns: int, lines: int) -> None:
        self.stream = stream
        self.written = ""
        self._screen = pyte.HistoryScreen(columns, lines, history=10_000, ratio=0.01)
        self._screen.set_mode(pyte.modes.LNM)
        self._parser = pyte.Stream(self._screen)
        self._set_size(columns, lines)

    def _set_size(self, columns: int, lines: int) -> None:
        termios.tcsetwinsize(self.stream.fileno(), (lines, columns))

    def resize(self, columns: int, lines: int) -> None:
        self._set_size(columns, lines)
        self._screen.resize(lines, columns)

    def write(self, text: str) -> None:
        self.written += text
        self._parser.feed(text)

    def show(self, pieces: Iterable[str], *, color: bool = True, wrap: bool = True) -> Terminal:
        text = MarkdownText(self.stream, color=color, wrap=wrap)
        for piece in pieces:
            self.write(text.feed(piece))
        self.write(text.end())
        return self

    @property
    def rows(self) -> list[str]:
        columns = self._screen.columns
        above = ["".join(row[column].data for column in range(columns)) for row in self._screen.history.top]
        return "\n".join(row.rstrip() for row in (*above, *self._screen.display)).rstrip().split("\n")


@pytest.fixture(scope="module")
def stream() -> Iterator[TextIO]:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        yield terminal
    os.close(ours)


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces = []
    number = 0
    while text:
        size = sizes[number % len(sizes)]
        pieces.append(text[:size])
        text = text[size:]
        number += 1
    return pieces


def written(stream: TextIO, pieces: Iterable[str]) -> str:
    """What is written for a text at a terminal of the usual size."""
    termios.tcsetwinsize(stream.fileno(), (24, 80))
    text = MarkdownText(stream, color=True, wrap=True)
    return "".join(text.feed(piece) for piece in pieces) + text.end()


DOCUMENT = """\
# Sorting in Python

Python has **two ways** to sort: `list.sort()` and *the built-in* `sorted()`. The [documentation](https://docs.python.org/3/)
tells more.

1. Choose a key, such as the length of a word, or leave it out
   - with `key=`
   - or a pair of them

2. Call it:

   ```python
   def by_length(words):
   \treturn sorted(words, key=len)  # a long remark that runs over the edge
   ```

> What is **sorted** stays sorted.
>
> - an item in a quote

| Name | Time | |
|:-----|-----:|---|
| merge sort | 10 | **stable** |
| heap sort | 9.5 | |

Title below
---

日本語のテキスト 👍 and &amp; <b>HTML</b>, ~~struck~~.
"""

SCREENS = {
    40: """\
Sorting in Python

Python has two ways to sort:
list.sort() and the built-in
sorted(). The documentation
(https://docs.python.org/3/) tells
more.

1. Choose a key, such as the length
   of a word, or leave it out
   - with key=
   - or a pair of them

2. Call it:

def by_length(words):
        return sorted(words, key=len)  #
 a long remark that runs over the edge

> What is sorted stays sorted.
>
> - an item in a quote

Name        Time
merge sort    10  stable
heap sort    9.5

Title below

日本語のテキスト 👍 and &
<b>HTML</b>, struck.""",
    80: """\
Sorting in Python

Python has two ways to sort: list.sort() and the built-in sorted(). The
documentation (https://docs.python.org/3/) tells more.

1. Choose a key, such as the length of a word, or leave it out
   - with key=
   - or a pair of them

2. Call it:

def by_length(words):
        return sorted(words, key=len)  # a long remark that runs over the edge

> What is sorted stays sorted.
>
> - an item in a quote

Name        Time
merge sort    10  stable
heap sort    9.5

Title below

日本語のテキスト 👍 and & <b>HTML</b>, struck.""",
}


@pytest.mark.parametrize("columns", SCREENS)
@pytest.mark.parametrize("sizes", [[10_000], [1], [7, 2, 4]], ids=["whole", "characters", "pieces"])
def test_the_screen(stream: TextIO, columns: int, sizes: list[int]) -> None:
    terminal = Terminal(stream, columns, 24).show(cut(DOCUMENT, sizes))
    assert terminal.rows == SCREENS[columns].replace("\xa0", " ").split("\n")


def test_a_wide_screen(stream: TextIO) -> None:
    rows = Terminal(stream, 200, 24).show([DOCUMENT]).rows
    assert rows[2] == (
        "Python has two ways to sort: list.sort() and the built-in sorted(). "
        "The documentation (https://docs.python.org/3/) tells more."
    )
    assert rows[3] == ""


fragments = st.sampled_from(
    [
        *(
            "# ",
            "- ",
            "1. ",
            "10) ",
            "> ",
            "\n",
            "\n",
            "\n\n",
            "    ",
            "  ",
            "\t",
            "```",
            "```python\n",
            "```\n",
            "~~~",
        ),
        *(
            "---",
            "===",
            "***",
            "**",
            "*",
            "_",
            "`",
            "[",
            "](",
            "http://a.b/c",
            ")",
            "<b>",
            "&#27;",
            "&amp;",
            "\\",
            "~~",
        ),
        *(
            "| a | b |\n",
            "|---|---|\n",
            "|",
            "word",
            "some words ",
            "日本語",
            "👍",
            "é",
            "1",
            "2024",
            'x = """\n',
            "-",
            "#",
        ),
        *("a long paragraph of text that wraps, " * 3, "alongwordthatdoesnotfit" * 4),
    ]
)
documents = st.lists(fragments, max_size=25).map("".join)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=12)
dimensions = st.sampled_from([(80, 24), (40, 24), (200, 50), (20, 8), (10, 12)])
GROWING = [(20, 8), (40, 24), (80, 24), (200, 50)]


@given(documents, sizes, dimensions, st.booleans())
@example("| Name | Time |\n|---|---|\n| a | b |\nx\n", [3], (80, 24), True)
@example("a\n\n```\n" + "long " * 60, [4], (20, 8), True)
@example("word " * 400, [5], (40, 24), True)
def test_where_a_text_is_cut_makes_no_difference(
    stream: TextIO, text: str, sizes: list[int], size: tuple[int, int], color: bool
) -> None:
    whole = Terminal(stream, *size).show([text], color=color)
    pieces = Terminal(stream, *size).show(cut(text, sizes), color=color)
    assert pieces.rows == whole.rows
    assert "\x1b" not in OURS.sub("", pieces.written)
    if not color:
        assert set(re.findall(r"[\d]+", "".join(SGR.findall(pieces.written)))) <= {"0", "1", "3", "4", "9"}


inline = st.lists(
    st.sampled_from(
        ["*", "**", "_", "__", "~~", "***", "foo", " ", "  ", ".", "(", "`", "\n", "[a](", ")", "\\", "日", "é"]
    ),
    max_size=25,
).map("".join)


@given(inline, sizes)
@example("a **b**x *c* d_e_ f", [1])
def test_at_every_moment_the_screen_shows_what_it_would_show_had_it_all_come_at_once(
    stream: TextIO, text: str, sizes: list[int]
) -> None:
    terminal = Terminal(stream, 80, 24)
    laid_out = MarkdownText(stream, color=True, wrap=True)
    for piece in cut(text, sizes):
        terminal.write(laid_out.feed(piece))
    at_once = Terminal(stream, 80, 24)
    at_once.write(MarkdownText(stream, color=True, wrap=True).feed(text))
    assert terminal.rows == at_once.rows


words = st.lists(st.integers(1, 12), min_size=1, max_size=200)
joints = st.sampled_from([" ", " ", " ", "\n", "\n\n", "\n- ", "\n  - ", "\n> ", "\n\n## ", "\n\n```\n", "\n\n    "])


@given(words, st.lists(joints, min_size=1, max_size=30), sizes, st.integers(0, 100), st.permutations(range(4)))
@example([5] * 30, [" "], [6], 10, [0, 1, 2, 3])
def test_every_word_is_shown_once_also_when_the_terminal_grows(
    stream: TextIO, lengths: list[int], joints: list[str], sizes: list[int], resized_at: int, order: list[int]
) -> None:
    names = [f"w{number}" + "o" * length for number, length in enumerate(lengths)]
    text = "".join(f"{name}{joints[number % len(joints)]}" for number, name in enumerate(names))
    small, large = sorted(order[:2])
    terminal = Terminal(stream, *GROWING[small])
    laid_out = MarkdownText(stream, color=True, wrap=True)
    for number, piece in enumerate(cut(text, sizes)):
        if number == resized_at:
            terminal.resize(*GROWING[large])
        terminal.write(laid_out.feed(piece))
    terminal.write(laid_out.end())
    shown = re.sub(r"[\s>`#-]", "", "".join(terminal.rows))
    assert shown == "".join(names)


@pytest.mark.parametrize(
    "text", ["*some* words that", "- an item, **bo", "1", "```\ncode", "| a | b |\n|---|---|\n| c", "# T"]
)
def test_what_stood_there_before_a_resize_is_left_alone(stream: TextIO, text: str) -> None:
    terminal = Terminal(stream, 80, 24)
    laid_out = MarkdownText(stream, color=True, wrap=True)
    terminal.write(laid_out.feed(text))
    before = terminal.rows
    terminal.resize(30, 24)  # a terminal may wrap anew what it shows, or not
    after = laid_out.feed("x and **y** go on") + laid_out.end()
    assert re.match(r"\n[^\r]*\w", after)
    terminal.write(after)
    assert terminal.rows[: len(before)] == before
    assert re.sub(r"\W", "", "".join(terminal.rows[len(before) :])) == "xandygoon"


def test_nothing_that_has_scrolled_away_is_written_anew(stream: TextIO) -> None:
    text = (
        "\n".join(["**a** paragraph of *many words, and many of them in rows that* go "] * 100)
        + "\n\n"
        + "| a | b |\n|---|---|\n"
        + "| c | d |\n" * 60
    )
    terminal = Terminal(stream, 40, 10).show(cut(text, [5]))
    assert max(map(int, re.findall(r"\x1b\[(\d+)A", terminal.written))) < 10
    assert len([row for row in terminal.rows if row == "c  d"]) == 60


def test_what_is_written_does_not_grow_with_the_square_of_the_text(stream: TextIO) -> None:
    for unit in (
        "some *words* of a paragraph ",
        "- an item\n",
        "| a | `b` |\n",
        "> a line\n",
        "x" * 50,
        "- a\n\n  ```\n  b\n  ```\n",
    ):
        once, twice = (len(written(stream, cut(unit * count, [7]))) for count in (100, 200))
        assert twice < 2.2 * once


def test_code_is_copied_as_it_is(stream: TextIO) -> None:
    code = 'def f():\n    if True:\n        return """\n  # indented"""\n\n\nx = ' + "1 + " * 30 + "1"
    item = f"- item\n\n```python\n{code}\n```".replace("\n", "\n  ")
    rows = Terminal(stream, 200, 24).show([item]).rows
    assert rows[2:] == code.split("\n")
    assert "\tx" in Terminal(stream, 80, 24).show(["```\n\tx\n```\n"]).written


def test_copied_text_has_neither_borders_nor_blanks_at_the_end_of_its_lines(stream: TextIO) -> None:
    terminal = Terminal(stream, 80, 24).show(cut(DOCUMENT.replace("HTML", "text "), [10_000]))
    text = SGR.sub("", terminal.written)
    assert not BOX.search(text)
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)


def test_a_link_shows_where_it_leads(stream: TextIO) -> None:
    text = "[a site](https://x.example/x 't') [https://a.com](https://x.example) <https://a.b/> <me@a.b> ![cat](c.png)"
    (row,) = Terminal(stream, 200, 24).show([text]).rows
    assert row == "a site (https://x.example/x) https://a.com (https://x.example) https://a.b/ me@a.b cat (c.png)"


@pytest.mark.parametrize(
    "text",
    [
        "a\x1b]0;title\x07b \x1b[2J",
        "a&#27;[2Jb&#x9b;2J &#155;",
        "[a&#x1b;]52;c;x&#7;](https://a.b/&#27;x)",
        "`\x1b[31m` \x9b31m",
        "```\x1b[31m\n\x1b]8;;x\x07code\x1b[2J\n```",
        "| \x1b[31m | &#27; |\n|---|---|\n| &#x202e;x | \u202ey |",
        "one&#10;two&#13;three",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("sizes", [[1000], [1]], ids=["whole", "characters"])
def test_no_control_character_of_the_model_reaches_the_terminal(stream: TextIO, text: str, sizes: list[int]) -> None:
    foreign = OURS.sub("", written(stream, cut(text, sizes)))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", foreign)


def test_code_is_coloured_from_line_to_line(stream: TextIO) -> None:
    code = '```python\ndef f():\n    """A text\n    of two lines."""\n    return 1\n```\n'
    colored = written(stream, [code])
    assert "\x1b[35mdef\x1b[0m" in colored
    assert '\x1b[32m    of two lines."""\x1b[0m' in colored
    assert "\x1b[31m1\x1b[0m" in colored


@pytest.mark.parametrize(
    "language", ["bash", "c++", "html", "json", "ruby", "nosuchlanguage", "php", "yaml", "diff", "console"]
)
def test_code_of_any_language_keeps_its_text(stream: TextIO, language: str) -> None:
    code = [
        "<p class='a'>&amp;</p>",
        "",
        "  key: [1, 'two'] # three",
        '- $x = "${y}";',
        "def f(a): <<EOF",
        "EOF",
        "+ 日本",
    ]
    rows = Terminal(stream, 80, 24).show([f"```{language}\n" + "\n".join(code) + "\n```"]).rows
    assert rows == code


def test_without_colours_the_structure_stays(stream: TextIO) -> None:
    terminal = Terminal(stream, 80, 24).show(["# Head\n\nA **b** `c`.\n\n```sh\nls\n```\n> q"], color=False)
    assert terminal.rows == ["Head", "", "A b `c`.", "", "```sh", "ls", "```", "", "> q"]
    assert "\x1b[1mb\x1b[0m" in terminal.written


def test_a_word_is_shown_as_soon_as_a_part_of_it_is_there(stream: TextIO) -> None:
    text = MarkdownText(stream, color=True, wrap=True)
    termios.tcsetwinsize(stream.fileno(), (24, 80))
    assert [text.feed(piece) for piece in ("Some", " wor", "ds", ", **bo", "ld**")] == [
        "Some",
        " wor",
        "ds",
        ", **bo",
        "\r\x1b[JSome words, \x1b[1mbold\x1b[0m",
    ]


def test_another_text_may_follow(stream: TextIO) -> None:
    text = MarkdownText(stream, color=True, wrap=True)
    assert text.feed("```\ncode\n") + text.end() == "\x1b[36mcode\x1b[0m\n"
    assert text.feed("*more*\n") + text.end() == "\x1b[3mmore\x1b[0m\n"
    assert text.end() == ""

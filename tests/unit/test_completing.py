"""What completes a line: how bash's line is read, what is at the cursor, and what is offered, which is harmless."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from ollama_cli.app import app
from ollama_cli.commands.completing.answer import LONGEST_ABOUT, about, sorted_out
from ollama_cli.commands.completing.bash_line import split_line
from ollama_cli.commands.completing.cursor import find_cursor
from ollama_cli.commands.completing.offers import Files, Offer, offers_at

BREAKS = " \t\n\"'@><=;|&(:"


@pytest.fixture(scope="module")
def root() -> Any:
    return get_command(app)


@pytest.mark.parametrize(
    ("line", "words", "kept"),
    [
        ("x run gpt", ["x", "run", "gpt"], 0),
        ("x run ", ["x", "run", ""], 0),
        ("x run gpt-oss:1", ["x", "run", "gpt-oss:1"], 8),
        ("x run a/b:c", ["x", "run", "a/b:c"], 4),
        ("x run --think=h", ["x", "run", "--think=h"], 8),
        ("x run 'gpt-oss:1", ["x", "run", "gpt-oss:1"], 0),
        ('x run "gpt-oss:1', ["x", "run", "gpt-oss:1"], 0),
        ("x run gpt-oss\\:1", ["x", "run", "gpt-oss:1"], 0),
        ('x run m "a \\"b\\" \\n $c" d', ["x", "run", "m", 'a "b" \\n $c', "d"], 0),
        ("x run 'a'\\''b' c", ["x", "run", "a'b", "c"], 0),
        ("x run '' ", ["x", "run", "", ""], 0),
        ("x\trun\nm", ["x", "run", "m"], 0),
        ("x run \\", ["x", "run", ""], 0),
        ("", [""], 0),
    ],
)
def test_a_line_of_bash_is_read_as_a_shell_reads_it(line: str, words: list[str], kept: int) -> None:
    assert split_line(line, BREAKS) == (words, kept)


@given(st.lists(st.text("ab \t\n'\"\\$`:=é", max_size=8), max_size=6))
def test_quoted_words_come_out_as_they_went_in(words: list[str]) -> None:
    assert split_line(f"{shlex.join(words)} ", BREAKS).words == [*words, ""]


@given(st.text("ab \t\n'\"\\$`:=é", max_size=30), st.text(max_size=5))
def test_any_line_is_read(line: str, breaks: str) -> None:
    words, kept = split_line(line, breaks)
    assert 0 <= kept <= len(words[-1])


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ([""], {"run", "keys", "completion"}),
        (["-"], {"--sandbox", "--help", "-h"}),
        (["--sandbox", "ru"], {"run", "chats"}),
        (["--key-file", "x", "keys", "sh"], {"show", "revoke"}),
        (["run", "m", "--"], {"--format", "--image", "--think", "--think=", "--plain", "--help"}),
        (["run", "m", "--think="], {"--think=true", "--think=false", "--think=low", "--think=max"}),
        (["run", "--option", "t"], {"temperature=", "top_k=", "stop="}),
        (["run", "--option=t"], {"--option=temperature="}),
        (["run", "--truncate="], {"--truncate=true", "--truncate=false"}),
        (["run", "--format", ""], {"json"}),
        (["chats", "export", "--format", ""], {"markdown", "json"}),
        (["api", ""], {"GET", "POST", "DELETE"}),
        (["create", "m", "-q", ""], {"q4_K_M", "q8_0"}),
        (["completion", ""], {"bash", "zsh", "fish", "powershell"}),
    ],
)
def test_what_is_offered(root: Any, words: list[str], offered: set[str]) -> None:
    cursor = find_cursor(root, words)
    assert cursor is not None
    offers, files = offers_at(cursor)
    assert offered <= {offer.word for offer in offers}
    assert files is None


@pytest.mark.parametrize(
    ("words", "before"),
    [
        (["--key-file", ""], ""),
        (["run", "m", "--image", "a"], ""),
        (["run", "m", "--image=a"], "--image="),
        (["run", "m", "-oa"], "-o"),
        (["run", "m", "what is in ", "./c"], ""),
        (["run", "--think", "m", "--", "-"], ""),
        (["api", "-d", "@a"], "@"),
        (["keys", "import", ""], ""),
    ],
)
def test_where_a_file_fits_the_shell_completes_it(root: Any, words: list[str], before: str) -> None:
    cursor = find_cursor(root, words)
    assert cursor is not None
    assert offers_at(cursor) == ([], Files(before))


@pytest.mark.parametrize(
    "words",
    [
        ["nothing", ""],
        ["status", ""],
        ["keys", "nothing", ""],
        ["completion", "bash", ""],
        ["run", "m", "--timeout", ""],
        ["run", "m", "--system", "-"],
        ["run", "m", "--timeout="],
        ["--", "nothing", ""],
    ],
)
def test_where_nothing_is_known_nothing_is_offered(root: Any, words: list[str]) -> None:
    cursor = find_cursor(root, words)
    assert cursor is None or offers_at(cursor) == ([], None)


def test_what_was_given_is_not_offered_again(root: Any) -> None:
    def options(*words: str) -> set[str]:
        cursor = find_cursor(root, [*words, "--"])
        assert cursor is not None
        return {offer.word for offer in offers_at(cursor)[0]}

    assert {"--json", "--image"} <= options("run", "m")
    assert "--json" not in options("run", "m", "--json")
    assert "--output" not in options("run", "m", "-ofile")
    assert "--plain" not in options("run", "m", "--markdown")
    assert "--image" in options("run", "m", "--image", "file")  # it can be given several times


def test_hidden_commands_are_no_offer_but_are_understood(root: Any) -> None:
    cursor, login = find_cursor(root, ["l"]), find_cursor(root, ["login", "--no-b"])
    assert cursor is not None
    assert login is not None
    assert "login" not in {offer.word for offer in offers_at(cursor)[0]}
    assert "--no-browser" in {offer.word for offer in offers_at(login)[0]}


_TYPED = ["run", "keys", "revoke", "--", "-", "--think", "--think=", "-o", "-ox", "-yq", "--json", "--sandbox", "="]


@given(st.lists(st.sampled_from(_TYPED) | st.text(max_size=8), max_size=8))
def test_any_line_is_understood(words: list[str]) -> None:
    cursor = find_cursor(get_command(app), words)
    if cursor is not None:
        assert cursor.before + cursor.word == (words[-1] if words else "")
        if cursor.parameter is None:
            offers_at(cursor)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=100)), max_size=5), st.text(max_size=2))
def test_nothing_that_is_offered_can_be_run_or_drive_a_terminal(offered: list[tuple[str, str]], typed: str) -> None:
    offers = [Offer(*words) for words in offered]
    for offer in sorted_out(offers, typed):
        assert offer.word.lower().startswith(typed.lower())
        assert not set(offer.word) & set(" \t\n\r\0$`\"'\\;&|<>()[]{}*?!#~^,")
        told = about(offer)
        assert told.isprintable() or not set(told) & set(map(chr, [*range(32), 127]))
        assert len(told) <= LONGEST_ABOUT

"""``ollama-cli __complete``: what the shells' scripts ask when somebody presses Tab.

``__complete zsh``, and so for the others, reads the words after the program's name, up to the cursor, each with a NUL
after it; ``__complete bash`` reads the line up to the cursor, and COMP_WORDBREAKS. They come on stdin, for other users
of the machine could read what is on a command line. The answer is a line that says ``words``, or ``files`` and what
stands before the file's name in its word; then a line for each word that fits, with what it is after a tab (in bash,
only what goes in the place of the last piece of the word). What goes wrong gives no answer and no message: a Tab is not
worth an error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from ollama_cli.commands.completing import REFRESH
from ollama_cli.commands.completing.bash_line import split_line
from ollama_cli.commands.completing.cursor import Cursor, find_cursor
from ollama_cli.commands.completing.offers import Offer, offers_at
from ollama_cli.terminal.sanitize import clean_line

LONGEST_LINE = 1_000_000
"""Bytes of a command line that are read."""

LONGEST_ABOUT = 72
"""Characters of what is told of a word."""

_INERT = frozenset("._:/@%+=-")
"""What means nothing to a shell within a word, beside letters and digits."""


def complete(root: Any, arguments: Sequence[str]) -> int:  # noqa: ANN401 - Typer keeps the type to itself
    """Answer a shell.

    Args:
        root: The program, as Typer has it.
        arguments: What follows ``__complete``.

    Returns:
        The exit status: 1 where there is no answer.
    """
    try:
        if arguments[:1] == [REFRESH]:
            from ollama_cli.commands.completing.models import ask_servers

            ask_servers(arguments[1:])
            return 0
        (shell,) = arguments
        words, kept = _asked(), 0
        if shell == "bash":
            line, breaks = words
            words, kept = split_line(line, breaks)
            words = words[1:]
        cursor = find_cursor(root, words)
        answer = _answer(cursor, kept, told=shell != "bash") if cursor is not None else ""
        sys.stdout.buffer.write(answer.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except Exception:  # noqa: BLE001 - whatever it is, the person is typing, and a shell would show it in the line
        return 1
    return 0


def _asked() -> list[str]:
    """What the shell hands over; what follows the last NUL is a line end of PowerShell's."""
    data = sys.stdin.buffer.read(LONGEST_LINE)
    return [word.decode("utf-8", "replace") for word in data.split(b"\0")[:-1]]


def _answer(cursor: Cursor, kept: int, *, told: bool) -> str:
    offers, files = offers_at(cursor)
    fitting = sorted_out(offers, cursor.before + cursor.word)
    lines = [f"files {files.before}" if files is not None and not fitting else "words"]
    lines += [f"{offer.word}\t{about(offer)}" if told else offer.word[kept:] for offer in fitting]
    return "".join(f"{line}\n" for line in lines)


def sorted_out(offers: Sequence[Offer], typed: str) -> list[Offer]:
    """Those that begin as was typed, in whatever case if none does in that one; and only what no shell could run."""
    inert = [offer for offer in offers if all(letter.isalnum() or letter in _INERT for letter in offer.word)]
    exact = [offer for offer in inert if offer.word.startswith(typed)]
    return exact or [offer for offer in inert if offer.word.lower().startswith(typed.lower())]


def about(offer: Offer) -> str:
    """What is told of a word, in one line that fits beside it, and without what drives a terminal."""
    text = clean_line(offer.about)
    return text if len(text) <= LONGEST_ABOUT else f"{text[: LONGEST_ABOUT - 1]}…"

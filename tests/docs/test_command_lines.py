"""Every call of the command that a page shows is one that the program's own parser takes, with each of its options."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from documentation import PAGES, ROOT, blocks, calls, spans, typed
from typer.core import TyperGroup
from typer.exceptions import Exit, TyperException
from typer.main import get_command

from ollama_cli.app import PROGRAM, app
from ollama_cli.commands.table import COMMANDS
from ollama_cli.context import GlobalOptions
from ollama_cli.errors import UsageError

COMPLETE = "__complete"
"""What a shell's script calls; it is no command of the table."""

NAMES = {listed.name for listed in COMMANDS}


def parse(words: list[str]) -> None:
    """Read a command line as the program does, and run nothing."""
    options = GlobalOptions(None, False, False, False, None)
    context = get_command(app).make_context(PROGRAM, words, obj=SimpleNamespace(options=options))
    command: Any = context.command
    while isinstance(command, TyperGroup) and (rest := [*context._protected_args, *context.args]):
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def fault(words: list[str], *, whole: bool = True) -> str:
    """What is wrong with a call; nothing, if it is told in part only and lacks an argument."""
    try:
        parse(words)
    except Exit:  # it asks for help
        return ""
    except (TyperException, UsageError) as error:
        lacks = type(error).__name__ == "MissingParameter"
        return "" if lacks and not whole else f"{' '.join(words)}: {error}"
    return ""


def mentioned(page: Path) -> list[list[str]]:
    """Calls in the sentences of a page, with or without the program's name; capital letters stand for any command."""
    found = []
    for span in spans(page):
        if span.startswith("{"):  # JSON, whose texts may be about the program
            continue
        named = span.startswith(f"{PROGRAM} ")
        for words in calls(span if named else f"{PROGRAM} {span}"):
            first = next((word for word in words if not word.startswith("-")), "")
            known = first in NAMES or (named and not first.isupper() and first not in {COMPLETE, "…"})
            if known or (named and not first):
                found.append(words)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_call_that_a_page_shows_can_be_made(page: Path) -> None:
    wrong = [fault(words) for words in calls(typed(page))]
    wrong += [fault(words, whole=False) for words in mentioned(page)]
    assert [told for told in wrong if told] == []


def test_calls_are_found_wherever_they_stand() -> None:
    shell = """
    if ! ollama-cli status --quiet 2> errors.txt; then exit; fi  # ollama-cli in words
    answer="$(ollama-cli run model "two words" | cat)"; .venv/bin/ollama-cli keys list
    rm -rf ~/.cache/ollama-cli other; xargs sh -c 'ollama-cli run model "$1" > out' _
    ollama-cli search \\
      --json "a;b"
    """
    assert list(calls(shell)) == [
        ["status", "--quiet"],
        ["in", "words"],
        ["run", "model", "two words"],
        ["keys", "list"],
        ["run", "model", "$1"],
        ["search", "--json", "a;b"],
    ]


def test_a_call_that_cannot_be_made_is_found() -> None:
    assert "No such command" in fault(["stauts"])
    assert "No such option" in fault(["keys", "list", "--qr"])
    assert fault(["cp", "one"])
    assert not fault(["cp", "one"], whole=False)
    assert fault(["run", "model", "--timeout=soon"])


def test_pages_hold_calls() -> None:
    assert sum(1 for page in PAGES for _ in calls(typed(page))) > 90
    assert len(blocks(ROOT / "README.md")) > 5

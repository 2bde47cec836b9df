"""The table of commands says what the commands say, and only the command that is asked for is imported."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.main import get_command

import ollama_cli.commands
from ollama_cli.app import app
from ollama_cli.commands.lazy import LazyGroup, Listed, lazy_group


def groups(group: LazyGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], LazyGroup]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, LazyGroup):
            yield from groups(command, (*path, name))


def all_groups() -> dict[tuple[str, ...], LazyGroup]:
    root = get_command(app)
    assert isinstance(root, LazyGroup)
    return dict(groups(root))


def all_listed() -> list[Listed]:
    return [listed for group in all_groups().values() for listed in group.table]


def test_the_summary_of_a_command_is_the_beginning_of_its_help() -> None:
    assert {(), ("keys",), ("chats",)} <= set(all_groups())
    for path, group in all_groups().items():
        for listed in group.table:
            command = group.commands[listed.name]
            assert command.hidden is listed.hidden
            if listed.hidden:
                assert [other for other in group.table if other.module == listed.module and not other.hidden]
            else:
                assert listed.summary == command.get_short_help_str(sys.maxsize), (*path, listed.name)


def test_every_module_that_adds_a_command_stands_in_a_table() -> None:
    folder = Path(next(iter(ollama_cli.commands.__path__)))
    written = set()
    for file in folder.rglob("*.py"):
        if re.search(r"^def register\(", file.read_text(encoding="utf-8"), re.MULTILINE):
            parts = file.relative_to(folder).with_suffix("").parts
            written.add(".".join(part for part in parts if part != "__init__"))
    assert written == {listed.module for listed in all_listed()}


def imported_commands(*args: str) -> set[str]:
    """The modules of commands that a command line imports."""
    code = "import sys; from ollama_cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code, *args]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    names = {name.removeprefix("ollama_cli.commands.") for name in done.stderr.split()}
    return {listed.module for listed in all_listed()} & names


def test_only_the_command_that_is_asked_for_is_imported() -> None:
    assert imported_commands("--help") == set()
    assert imported_commands("run", "--help") == {"run.command"}
    assert imported_commands("keys", "show", "--help") == {"keys", "keys.show"}


def test_a_group_by_itself_shows_its_help() -> None:
    command = [sys.executable, "-m", "ollama_cli", "keys"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ollama-cli keys [OPTIONS] COMMAND")
    assert "\n  revoke  Take device keys" in done.stdout


def test_a_fault_in_the_module_of_a_command_is_not_taken_for_a_missing_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def register(_: typer.Typer) -> None:
        raise KeyError("a fault")

    broken = SimpleNamespace(register=register)
    monkeypatch.setitem(sys.modules, "ollama_cli.commands.broken", broken)
    group = lazy_group([Listed("broken", "broken")])(name="group")
    with pytest.raises(KeyError, match="a fault"):
        group.get_command(None, "broken")
    assert group.get_command(None, "another") is None

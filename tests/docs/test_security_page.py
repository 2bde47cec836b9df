"""Each promise of docs/security.md names tests that hold it, and each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
PROMISED, _, REST = PAGE.partition("\n## What is promised\n")[2].partition("\n### The tests that hold each promise\n")
ROWS = re.findall(r"^\| (?!---|promise)(.+?) \| (`.*`) \|$", REST.partition("\n## ")[0], re.MULTILINE)


@cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_is_held_and_nothing_else() -> None:
    promises = re.findall(r"^- \*\*(.+?)\*\*", PROMISED, re.MULTILINE)
    assert len(promises) == PROMISED.count("\n- ") > 15
    assert promises == [promise for promise, _ in ROWS]


def test_every_test_that_a_promise_names_exists() -> None:
    named = [name for _, cell in ROWS for name in re.findall(r"`([^`]+)`", cell)]
    assert all(re.fullmatch(r"[\w/]+\.py::test_\w+", name) for name in named)
    missing = {name for name in named if name.partition("::")[2] not in functions_of(name.partition("::")[0])}
    assert missing == set()

"""The page about what comes along is held to what is installed, and a release of somebody's does not make it wrong."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "make_third_party.py"


@pytest.fixture(scope="module")
def page() -> Any:
    """The script that makes the page."""
    spec = importlib.util.spec_from_file_location("make_third_party", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_change_here_is_noticed(page: Any) -> None:
    found, rows = page.packages(), page.written()
    assert page.faults(found, rows) == []
    asked = page.Package("new", ">=1", "1.0", "MIT", (), ())
    assert page.faults([*found, asked], rows) == ["new >=1 has no such row"]
    assert page.faults([p for p in found if p.name != "segno"], rows) == ["segno is not needed by anything"]
    bounds = [replace(p, versions=">=99") if p.name == "segno" else p for p in found]
    assert page.faults(bounds, rows) == ["segno >=99 has no such row"]
    assert page.faults(found, rows | {"segno": replace(rows["segno"], licence="AGPL-3.0-only")}) != []


def test_what_others_bring_is_compared_in_the_release_that_was_read(page: Any) -> None:
    here, other = (page.Package("one", ">=1", release, "MIT", (), ()) for release in ("1.0", "2.0"))
    row = page.Row(">=1", "1.0", "MIT", frozenset())
    brought = page.Package("two", "", "1.0", "MIT", ("one",), ())
    told = page.Row("", "1.0", "MIT", frozenset({"one"}))
    assert page.faults([here, brought], {"one": row}) == ["two is needed by one"]
    assert page.faults([here], {"one": row, "two": told}) == ["two is not needed by one"]
    assert page.faults([other, brought], {"one": row}) == []
    assert page.faults([other], {"one": row, "two": told}) == []
    assert page.faults([here, replace(brought, licence="ISC")], {"one": row, "two": told}) != []
    assert page.faults([here, replace(brought, release="2.0", licence="ISC")], {"one": row, "two": told}) == []

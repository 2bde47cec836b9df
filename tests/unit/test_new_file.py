"""A new file appears whole, and takes no other's place, also where two come at once or a file system has no links."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from ollama_cli.errors import UsageError
from ollama_cli.terminal import new_file
from ollama_cli.terminal.new_file import write_file


def no_links(*_: object) -> NoReturn:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a file system with hard links, or, such as a stick's, without."""
    if not request.param:
        monkeypatch.setattr(os, "link", no_links)
    return tmp_path


def test_a_file_is_whole_and_has_its_permissions(folder: Path) -> None:
    write_file(folder / "key", "secret", mode=0o600, replace=False)
    assert [(path.name, path.read_text(), path.stat().st_mode & 0o777) for path in folder.iterdir()] == [
        ("key", "secret", 0o600)
    ]


def test_a_file_that_appears_meanwhile_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = new_file.check_target

    def checked_before_another_came(path: Path, *, replace: bool) -> Path:
        target = check(path, replace=replace)
        target.write_text("another's")
        return target

    monkeypatch.setattr(new_file, "check_target", checked_before_another_came)
    with pytest.raises(UsageError, match="is there already"):
        write_file(folder / "key", "secret", mode=0o600, replace=False)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("key", "another's")]

"""Lists the packages that come along, and their licences: ``python docs/make_third_party.py [--check]``.

What is needed comes from pyproject.toml and from the packages' own metadata, for every Python and system that the
program runs on; licences come from the metadata of what is installed. A row of a package for another system is kept.

The page says in which release each was read. ``--check`` compares what pyproject.toml asks for, and of what these bring
whatever is installed in that very release: so a change here is noticed, and a new release of somebody's is not.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "third-party.md"
_HEAD = """# What comes along, and its licences

Installing the program installs these packages from the Python Package Index, each with the licence that its own
metadata names. No code of theirs is copied into this repository or into the wheel. The page is made by
`python docs/make_third_party.py`, from pyproject.toml and from what is installed; a test compares it, as far as the
releases that are installed are those that the page was made from.

This program is under the [MIT licence](../LICENSE), and all of these may be used with it: their licences ask for their
notice where they are passed on, and certifi's (MPL-2.0) also that changed files of its own stay open. What the tests
hold of Ollama's output is under [Ollama's licence](../tests/data/NOTICE), MIT too; neither wheel nor program has it.
"""
# Whoever passes the program on with these may do so under its own licence; another one has to be looked at first.
_ACCEPTED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "Unlicense",
    }
)
_SYSTEMS = (("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt"))
_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# What older metadata says in words, as the SPDX list of licences has it; "BSD" alone does not say which.
_SPDX = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "ISC License": "ISC",
    "Python Software Foundation License": "PSF-2.0",
}


@dataclass(frozen=True)
class Package:
    """A package that comes along.

    Attributes:
        name: Its name.
        versions: Those that are taken; empty where another package says it.
        release: The one that is installed here; empty where none is.
        licence: As its metadata names it; empty where it is not installed.
        brought_by: The packages that need it.
        systems: The systems that it is for, where these are not all.
    """

    name: str
    versions: str
    release: str
    licence: str
    brought_by: tuple[str, ...]
    systems: tuple[str, ...]


def _environments() -> Iterator[dict[str, str]]:
    for python in _PYTHONS:
        for platform, system, os_name in _SYSTEMS:
            yield {
                "python_version": python,
                "python_full_version": f"{python}.0",
                "sys_platform": platform,
                "platform_system": system,
                "os_name": os_name,
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
            }


def _systems(requirement: Requirement, extras: frozenset[str]) -> frozenset[str]:
    """The systems on which a requirement holds, with some Python that the program runs on."""
    marker = requirement.marker
    return frozenset(
        environment["platform_system"]
        for environment in _environments()
        if marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in extras | {""})
    )


def _release(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _licence(name: str) -> str:
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    (expression,) = told.get_all("License-Expression") or [""]
    (text,) = told.get_all("License") or [""]
    if expression:
        return str(expression)
    if text and text != "UNKNOWN" and not re.search(r"\s", text):  # a name, not the whole text
        return str(text)
    told_of = [line for line in told.get_all("Classifier") or [] if line.startswith("License")]
    classifiers = [line.rpartition(" :: ")[2] for line in told_of]
    return " AND ".join(_SPDX.get(name, name) for name in classifiers) or "not named"


def packages() -> list[Package]:
    """All of them, by name.

    Raises:
        ValueError: One that is needed here is not installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [Requirement(text) for text in project["dependencies"]]
    everywhere = frozenset(system for _, system, _ in _SYSTEMS)
    waiting = [("", requirement, everywhere) for requirement in direct]
    found: dict[str, tuple[set[str], set[str]]] = {}
    done: set[tuple[str, str, frozenset[str]]] = set()
    while waiting:
        by, requirement, where = waiting.pop(0)
        name = canonicalize_name(requirement.name)
        brought_by, systems = found.setdefault(name, (set(), set()))
        brought_by |= {by} - {""}
        systems |= where
        extras = frozenset(requirement.extras)
        try:
            needed = [Requirement(text) for text in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue
        for other in needed:
            there = _systems(other, extras) & where
            step = (name, str(other), there)
            if there and step not in done:
                done.add(step)
                waiting.append((name, other, there))
    versions = {canonicalize_name(requirement.name): str(requirement.specifier) for requirement in direct}
    return [
        Package(
            name,
            versions.get(canonicalize_name(name), ""),
            _release(name),
            _licence(name),
            tuple(sorted(brought_by)),
            () if systems == everywhere else tuple(sorted(systems)),
        )
        for name, (brought_by, systems) in sorted(found.items())
    ]


@dataclass(frozen=True)
class Row:
    """A row of the page as it is.

    Attributes:
        versions: Those that pyproject.toml takes; empty for what others bring.
        release: In which it was read.
        licence: The licence.
        brought_by: The packages that need it; none for what pyproject.toml names.
    """

    versions: str
    release: str
    licence: str
    brought_by: frozenset[str]


def written() -> dict[str, Row]:
    """The rows of the page as it is, by name."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    rows = re.findall(
        r"^\| ([a-z0-9][\w.-]*) \| (?:`([^`]+)` \| )?(\S+) \| ([^|]+?) \| ([^|]*) \|$", page, re.MULTILINE
    )
    return {
        name: Row(versions, release, licence, frozenset([] if versions else tail.partition(" (on ")[0].split(", ")))
        for name, versions, release, licence, tail in rows
    }


def page(known: dict[str, Row]) -> str:
    """The whole page.

    Args:
        known: Rows of packages that are not installed here.

    Raises:
        ValueError: The licence of a package is not known, or not one that was looked at.
    """
    rows: dict[bool, list[str]] = {True: [], False: []}
    for package in packages():
        row = known.get(package.name) if not package.release else None
        release, licence = (row.release, row.licence) if row else (package.release or "-", package.licence)
        if not licence:
            raise ValueError(f"{package.name} is not installed here, so its licence is not known: install it once")
        if not _accepted(licence):
            raise ValueError(f"{package.name} has the licence {licence}: look whether it goes with ours")
        systems = " and ".join("macOS" if system == "Darwin" else system for system in package.systems) or "all"
        versions = f"`{package.versions}` | " if package.versions else ""
        tail = systems if package.versions else f"{', '.join(package.brought_by)}{_only(systems)}"
        rows[bool(package.versions)].append(f"| {package.name} | {versions}{release} | {licence} | {tail} |")
    return "\n".join(
        [
            _HEAD,
            "## What the program asks for",
            "",
            "What each is for stands beside it in `pyproject.toml`.",
            "",
            "| package | versions | read in | licence | on |\n| --- | --- | --- | --- | --- |",
            *rows[True],
            "",
            "## What these bring with them",
            "",
            "| package | read in | licence | needed by |\n| --- | --- | --- | --- |",
            *rows[False],
            "",
        ]
    )


def _only(systems: str) -> str:
    return "" if systems == "all" else f" (on {systems})"


def _accepted(licence: str) -> bool:
    return {word.strip("()") for word in re.split(r" (?:AND|OR) ", licence)} <= _ACCEPTED


def faults(found: list[Package], rows: dict[str, Row]) -> list[str]:
    """What is wrong with the rows, each in a sentence.

    Args:
        found: What comes along with what is installed here.
        rows: The rows of the page.
    """
    told = [f"{name} has the licence {row.licence}" for name, row in rows.items() if not _accepted(row.licence)]
    same = {package.name for package in found if package.name in rows and package.release == rows[package.name].release}
    for package in found:
        row = rows.get(package.name)
        if package.versions != (row.versions if row else ""):
            told.append(f"{package.name} {package.versions} has no such row")
        if row is not None and package.name in same and package.licence != row.licence:
            told.append(f"{package.name} {package.release} has the licence {package.licence}, not {row.licence}")
        needed_by = set(package.brought_by) & same
        if needed_by - (row.brought_by if row else set()) and not package.versions:
            told.append(f"{package.name} is needed by {', '.join(sorted(needed_by))}")
    names = {package.name: set(package.brought_by) for package in found}
    for name, row in rows.items():
        gone = {other for other in row.brought_by & same if other not in names.get(name, set())}
        if gone or (row.versions and name not in names) or (row.brought_by and not row.brought_by & set(rows)):
            told.append(f"{name} is not needed by {', '.join(sorted(gone)) or 'anything'}")
    return told


def main(arguments: list[str]) -> int:
    """Write the page, or compare it.

    Returns:
        The exit status: 1 where the page is not current.
    """
    if arguments == ["--check"]:
        told = faults(packages(), written())
        if told:
            sys.stderr.write("docs/third-party.md is not current: run `python docs/make_third_party.py`.\n")
            sys.stderr.write("".join(f"{sentence}.\n" for sentence in told))
        return 1 if told else 0
    try:
        PAGE.write_text(page(written()), encoding="utf-8")
    except ValueError as error:
        sys.stderr.write(f"docs/third-party.md: {error}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

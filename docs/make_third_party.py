"""Lists the packages that come along, and their licences: ``python docs/make_third_party.py [--check]``.

What is needed comes from pyproject.toml and from the packages' own metadata, for every Python and system that the
program runs on; licences come from the metadata of what is installed. A row of a package for another system is kept.
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
`python docs/make_third_party.py`, from pyproject.toml and from what is installed; a test compares it.
"""
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
        licence: As its metadata names it; empty where it is not installed.
        brought_by: The packages that need it.
        systems: The systems that it is for, where these are not all.
    """

    name: str
    versions: str
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
            _licence(name),
            tuple(sorted(brought_by)),
            () if systems == everywhere else tuple(sorted(systems)),
        )
        for name, (brought_by, systems) in sorted(found.items())
    ]


def _written() -> dict[str, str]:
    """The licence of each row of the page as it is."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return dict(re.findall(r"^\| ([\w.-]+) \| (?:[^|]*\| )?([^|]+?) \| [^|]* \|$", page, re.MULTILINE))


def page(known: dict[str, str]) -> str:
    """The whole page.

    Args:
        known: Licences of packages that are not installed here.

    Raises:
        ValueError: The licence of a package is not known.
    """
    rows: dict[bool, list[str]] = {True: [], False: []}
    for package in packages():
        licence = package.licence or known.get(package.name, "")
        if not licence:
            raise ValueError(f"{package.name} is not installed here, so its licence is not known: install it once")
        systems = " and ".join("macOS" if system == "Darwin" else system for system in package.systems) or "all"
        versions = f"`{package.versions}` | " if package.versions else ""
        tail = systems if package.versions else f"{', '.join(package.brought_by)}{_only(systems)}"
        rows[bool(package.versions)].append(f"| {package.name} | {versions}{licence} | {tail} |")
    return "\n".join(
        [
            _HEAD,
            "## What the program asks for",
            "",
            "What each is for stands beside it in `pyproject.toml`.",
            "",
            "| package | versions | licence | on |\n| --- | --- | --- | --- |",
            *rows[True],
            "",
            "## What these bring with them",
            "",
            "| package | licence | needed by |\n| --- | --- | --- |",
            *rows[False],
            "",
        ]
    )


def _only(systems: str) -> str:
    return "" if systems == "all" else f" (on {systems})"


def _asked_for() -> list[str]:
    """The beginnings of the rows about what the program itself asks for."""
    return [f"| {package.name} | `{package.versions}` | " for package in packages() if package.versions]


def main(arguments: list[str]) -> int:
    """Write the page, or compare it.

    Compared is what the program asks for. What others bring, and how they name their licences, changes with their
    releases, which is no fault of a change here; the page is made anew for each of ours.

    Returns:
        The exit status: 1 where the page is not current.
    """
    if arguments == ["--check"]:
        written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        missing = [row for row in _asked_for() if row not in written]
        if missing:
            sys.stderr.write("docs/third-party.md is not current: run `python docs/make_third_party.py`. It lacks\n")
            sys.stderr.write("".join(f"{row}\n" for row in missing))
        return 1 if missing else 0
    try:
        PAGE.write_text(page(_written()), encoding="utf-8")
    except ValueError as error:
        sys.stderr.write(f"docs/third-party.md: {error}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A folder of wheels made of what is installed here, so that pip, pipx and uv install without asking a server."""

from __future__ import annotations

import re
import subprocess
import zipfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed_by(requirements: list[str]) -> dict[str, metadata.Distribution]:
    """The distributions that requirements need here, and what those need in turn."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [(Requirement(text), "") for text in requirements]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                found.setdefault(name, metadata.distribution(name))
                waiting += [(Requirement(text), wanted) for text in found[name].requires or []]
    return found


def pack(distribution: metadata.Distribution, folder: Path) -> None:
    """Make a wheel of an installed distribution: its files, and the record of them, as they were installed."""
    told = distribution.read_text("WHEEL") or ""
    tags = re.findall(r"^Tag: ([^-\s]+)-([^-\s]+)-(\S+)$", told, re.MULTILINE)
    pythons, abis, platforms = (".".join(dict.fromkeys(column)) for column in zip(*tags, strict=True))
    name = re.sub(r"[-_.]+", "_", distribution.metadata["Name"])
    with zipfile.ZipFile(folder / f"{name}-{distribution.version}-{pythons}-{abis}-{platforms}.whl", "w") as wheel:
        for file in distribution.files or []:
            inside = not file.is_absolute() and ".." not in file.parts
            path = Path(str(file.locate()))
            if inside and file.suffix != ".pyc" and path.is_file():
                wheel.write(path, str(file))


def make_wheelhouse(folder: Path, *requirements: str) -> Path:
    """Put wheels of all that requirements need into a folder, which is made."""
    folder.mkdir()
    for distribution in needed_by(list(requirements)).values():
        pack(distribution, folder)
    return folder


def unpacked(archive: Path, folder: Path) -> Path:
    """The tree in a source distribution, unpacked by tar: Python's own safe way is newer than Debian's 3.11.2."""
    folder.mkdir()
    subprocess.run(["tar", "-xf", str(archive), "-C", str(folder)], check=True, timeout=60)
    (tree,) = folder.iterdir()
    return tree

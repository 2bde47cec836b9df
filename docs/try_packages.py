"""Tries what is given away: ``python docs/try_packages.py [--quick] [PYTHON…]``.

A wheel and a source distribution are built as docs/install.md says, and both are installed with pip, pipx and uv into
empty homes, with every Python from 3.11 to 3.14 that is found: on the path, in pyenv, or named. From each the README's
first question is asked, and both distributions are built once more and compared. With ``--quick`` only uv installs,
only the wheel, and nothing is built again. What is done is printed as it goes on, to be kept in
docs/transcripts/packages.txt.

It needs nothing but a Python with venv, and asks the package index for all else.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
ANSWERED = "No model ran."
_KEPT = re.compile(r"PATH|LANG|(PIP|UV|SSL|REQUESTS|CURL)_.*|(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "dist", "build")


class FailedError(Exception):
    """A command did not do what it should."""


def block_with(page: str, word: str) -> str:
    """The one block of shell of a page that a word stands in."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (found,) = [block for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if word in block]
    return str(found).strip()


def run(script: str, folder: Path, home: Path, *path: Path) -> str:
    """Run a script of bash in a folder, for somebody with an empty home, and return all that it printed.

    Raises:
        FailedError: Its status is not 0.
    """
    environment = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    environment |= {"HOME": str(home), "PATH": os.pathsep.join([*map(str, path), environment["PATH"]])}
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    if done.returncode:
        raise FailedError(f"status {done.returncode} from: {script}\n{done.stdout}")
    return done.stdout


def version_of(python: str) -> tuple[str, str]:
    """Two numbers and three of an interpreter; empty where it is none that runs."""
    command = [python, "-Ic", "import venv, ensurepip, platform; print(platform.python_version())"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return "", ""
    full = done.stdout.strip() if done.returncode == 0 else ""
    return ".".join(full.split(".")[:2]), full


def interpreters(named: list[str]) -> dict[str, str]:
    """An interpreter for each version that can be had here; what is named goes before what is found."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found: dict[str, str] = {}
    for python in [*named, *(f"python{version}" for version in VERSIONS), *map(str, pyenv.glob("3.*/bin/python3"))]:
        version, full = version_of(python)
        if full and version in VERSIONS:
            found.setdefault(version, shutil.which(python) or python)
    return dict(sorted(found.items(), key=lambda item: VERSIONS.index(item[0])))


@dataclass(frozen=True)
class Given:
    """What is given away.

    Attributes:
        wheel: The wheel.
        sdist: The source distribution.
    """

    wheel: Path
    sdist: Path

    @classmethod
    def of(cls, tree: Path) -> Given:
        """What was built in a tree."""
        ((wheel,), (sdist,)) = ((tree / "dist").glob(pattern) for pattern in ("*.whl", "*.tar.gz"))
        return cls(wheel, sdist)

    def sums(self) -> list[str]:
        """The SHA-256 of both."""
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in (self.wheel, self.sdist)]


def built(tree: Path, home: Path, python: str) -> Given:
    """Build in a tree as the page says, with an interpreter in the place of ``python3``."""
    run(block_with("docs/install.md", "-m build").replace("python3 ", f"{shlex.quote(python)} "), tree, home)
    return Given.of(tree)


def ways(python: str, quick: bool) -> Iterator[tuple[str, str]]:
    """What installs a file, ``FILE``, as it is shown and as it is typed; the command is on the path afterwards."""
    exact = shlex.quote(python)
    if not quick:
        pip = "python -m venv v && v/bin/pip install -q FILE"
        yield (
            pip,
            f"{exact}{pip.removeprefix('python')} && mkdir -p ~/.local/bin && ln -s $PWD/v/bin/ollama-cli ~/.local/bin",
        )
        yield "pipx install --python python FILE", f"pipx install --python {exact} FILE"
    yield "uv tool install --python python FILE", f"uv tool install --python {exact} FILE"


def question() -> str:
    """The README's first question, as the arguments of the command."""
    return block_with("README.md", "python3 -m venv").partition(".venv/bin/ollama-cli ")[2]


def try_one(given: Given, python: str, tools: Path, folder: Path, *, quick: bool) -> Iterator[str]:
    """Install what is given in each way with one interpreter and ask; yields what to print.

    Raises:
        FailedError: Something did not work.
    """
    for file in (given.wheel,) if quick else (given.wheel, given.sdist):
        for shown, typed in ways(python, quick):
            home = Path(tempfile.mkdtemp(dir=folder))
            yield f"$ {shown.replace('FILE', file.name)} && ollama-cli {question()}"
            script = f"{{ {typed.replace('FILE', shlex.quote(str(file)))}; }} >log 2>&1 || {{ cat log; exit 1; }}"
            run(script, home, home, tools)
            told = run(f"ollama-cli {question()}", home, home, home / ".local" / "bin")
            if ANSWERED not in told:
                raise FailedError(f"the answer was {told}")
            yield told.strip().splitlines()[-1]
            shutil.rmtree(home)


def again(given: Given, python: str, folder: Path) -> str:
    """Build both once more, from the source distribution, and tell whether they are the same.

    Raises:
        FailedError: They are not.
    """
    home = Path(tempfile.mkdtemp(dir=folder))
    run(f"tar -xf {shlex.quote(str(given.sdist))}", home, home)
    (tree,) = home.glob("*/pyproject.toml")
    other = built(tree.parent, home, python)
    for one, two, file in zip(given.sums(), other.sums(), (given.wheel, given.sdist), strict=True):
        if one != two:
            raise FailedError(f"{file.name} is another one when it is built again: {one} is not {two}")
    shutil.rmtree(home)
    return "The wheel and the source distribution are the same to the byte when they are built of the latter.\n"


def main(arguments: list[str]) -> int:
    """Try all of it.

    Returns:
        The exit status: 1 where something did not work, or no Python was found.
    """
    quick = "--quick" in arguments
    pythons = interpreters([argument for argument in arguments if argument != "--quick"])
    with tempfile.TemporaryDirectory(prefix="ollama-cli-packages-") as name:
        folder = Path(name)
        os.environ.setdefault("UV_CACHE_DIR", str(folder / "cache"))  # what is loaded once is there for all homes
        try:
            shutil.copytree(ROOT, folder / "tree", ignore=_NOT_COPIED)
            (folder / "tree" / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
            given = built(folder / "tree", folder, sys.executable)
            tools = Path(sys.executable).parent
            if not {"pipx", "uv"} <= {path.name for path in tools.iterdir()}:
                run(f"{shlex.quote(sys.executable)} -m venv tools && tools/bin/pip install -q pipx uv", folder, folder)
                tools = folder / "tools" / "bin"
            versions = run("uv --version && pipx --version", folder, folder, tools).split()
            print(f"{given.wheel.name} and {given.sdist.name}, with uv {versions[1]} and pipx {versions[-1]}.\n")
            for python in pythons.values():
                print(f"== Python {version_of(python)[1]}", flush=True)
                for line in try_one(given, python, tools, folder, quick=quick):
                    print(line, flush=True)
                print("" if quick else again(given, python, folder), flush=True)
        except FailedError as error:
            print(f"FAILED: {error}")
            return 1
    missing = [version for version in VERSIONS if version not in pythons]
    if missing:
        print(f"Not tried, for there is no such Python here: {', '.join(missing)}.")
    return 0 if pythons else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

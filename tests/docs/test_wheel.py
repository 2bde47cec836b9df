"""A wheel holds the manual pages, made from the commands when it is built, and the completion of three shells."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from wheelhouse import unpacked

from ollama_cli import errors
from ollama_cli.errors import CliError
from ollama_cli.settings import environment

ROOT = Path(__file__).parents[2]
HELP = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
COMMANDS: list[str] = re.findall(r"^## (ollama-cli.*)$", HELP, re.MULTILINE)


def build(tree: Path, kind: str, folder: Path, **variables: str) -> Path:
    """Build one distribution of a tree, without an environment of its own, so that nothing is loaded for it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    environment = os.environ | variables
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution of this checkout."""
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def sources(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree that is in it, as who packages the program has it: elsewhere, without git, unreadable to others."""
    tree = unpacked(sdist, tmp_path_factory.mktemp("unpacked") / "sources")
    for path in (tree, *tree.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    return tree


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of that tree."""
    return build(sources, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def share(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder ``share`` of the place where the wheel is installed."""
    prefix = tmp_path_factory.mktemp("prefix")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-compile"]
    command += ["--disable-pip-version-check", "--ignore-installed", "--prefix", str(prefix), str(wheel)]
    subprocess.run(command, check=True, timeout=60)
    return prefix / "share"


def read(share: Path, command: str) -> str:
    """The page of a command as a terminal would show it, in one line."""
    page = share / "man" / "man1" / f"{command.replace(' ', '-')}.1"
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-P-c", "-rLL=200n", str(page)],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    assert not done.stderr, (command, done.stderr)  # a warning is a mistake in the page
    return " ".join(re.sub(r".\x08", "", done.stdout).split())


needs_groff = pytest.mark.skipif(
    shutil.which("groff") is None and not os.environ.get("CI"), reason="groff is missing: apt-get install groff-base"
)


needs_man = pytest.mark.skipif(
    shutil.which("man") is None and not os.environ.get("CI"), reason="man is missing: apt-get install man-db"
)


def test_a_wheel_is_the_same_wherever_it_is_built(wheel: Path, tmp_path: Path) -> None:
    assert build(ROOT, "wheel", tmp_path / "again", TZ="Asia/Tokyo").read_bytes() == wheel.read_bytes()


def test_a_source_distribution_is_the_same_when_it_is_built_of_itself(
    sdist: Path, sources: Path, tmp_path: Path
) -> None:
    assert build(sources, "sdist", tmp_path / "again", TZ="Asia/Tokyo").read_bytes() == sdist.read_bytes()


def test_a_source_distribution_holds_nothing_of_an_environment_that_stands_in_the_tree(
    sources: Path, sdist: Path, tmp_path: Path
) -> None:
    """docs/install.md has one made there; whatever it is called, what it holds is not ours."""
    for name in (".build", "env"):
        package = sources / name / "lib" / "tests"
        package.mkdir(parents=True)
        for file in ("LICENSE", "README.md", "module.py"):
            (package / file).write_text("")
    try:
        assert build(sources, "sdist", tmp_path / "again").read_bytes() == sdist.read_bytes()
    finally:
        for name in (".build", "env"):
            shutil.rmtree(sources / name)


def test_the_licence_is_in_both_and_the_notice_beside_what_is_ollama_s(sources: Path, wheel: Path) -> None:
    """PEP 639: an expression in the metadata, and the text where the metadata says."""
    licence = (ROOT / "LICENSE").read_bytes()
    assert licence.startswith(b"MIT License\n\nCopyright (c) 2026 the ollama-cli authors\n")
    with zipfile.ZipFile(wheel) as archive:
        (place,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        told = archive.read(place).decode()
        assert archive.read(place.replace("METADATA", "licenses/LICENSE")) == licence
    for metadata in (told, (sources / "PKG-INFO").read_text(encoding="utf-8")):
        assert "\nLicense-Expression: MIT\nLicense-File: LICENSE\n" in metadata
    assert (sources / "LICENSE").read_bytes() == licence
    notice = (sources / "tests" / "data" / "NOTICE").read_text(encoding="utf-8")
    assert licence.decode().replace("2026 the ollama-cli authors", "Ollama-Server") in notice


def test_a_wheel_is_built_where_the_tree_is_installed_for_editing(tmp_path: Path) -> None:
    """The environment that pip builds in takes such a tree off Python's path, as this one does."""
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nwhile {str(ROOT)!r} in sys.path:\n    sys.path.remove({str(ROOT)!r})\n"
    )
    built = build(ROOT, "wheel", tmp_path / "built", PYTHONPATH=str(tmp_path))
    with zipfile.ZipFile(built) as archive:
        assert [name for name in archive.namelist() if name.endswith("/ollama-cli.1")]


def test_there_is_a_page_for_every_command_and_no_other(share: Path) -> None:
    pages = {page.name for page in (share / "man" / "man1").iterdir()}
    assert pages == {f"{command.replace(' ', '-')}.1" for command in COMMANDS}


@needs_groff
def test_every_option_and_argument_is_on_the_page_of_its_command(share: Path) -> None:
    sections = re.findall(r"^## (ollama-cli[^\n]*)\n\n```\n(.*?)\n```", HELP, re.MULTILINE | re.DOTALL)
    assert [command for command, _ in sections] == COMMANDS
    for command, told in sections:
        page = read(share, command)
        assert f"NAME {command.replace(' ', '-')} - " in page
        usage, *rows = re.split(r"\n(?:Arguments|Options|Commands):\n", told)
        first = usage.partition("\n\n")[0].removeprefix("Usage: ")
        assert " ".join(first.split()) in page
        for row in re.findall(r"^  \S.*(?:\n   .*)*", "\n".join(rows), re.MULTILINE):
            term, *words = re.split(r" {2,}|\n +", row.strip())
            assert term in page, (command, term)
            said = " ".join(words).replace("`", "").rstrip(".")  # what help cuts short ends in dots
            assert said in page, (command, said)


@needs_groff
def test_the_main_page_tells_statuses_variables_and_files(share: Path) -> None:
    page = read(share, "ollama-cli")
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "FILES", "SEE ALSO"):
        assert f" {title} " in page
    statuses = page.partition(" EXIT STATUS ")[2].partition(" ENVIRONMENT ")[0]
    known = {0, errors.INTERRUPTED, errors.CLOSED_PIPE, CliError.status, *(e.status for e in CliError.__subclasses__())}
    known.add(128 + signal.SIGTERM)  # with that of SIGHUP before it
    assert {int(status) for status in re.findall(r"(?:^| )(\d+) [A-Z]", statuses)} == known
    variables = page.partition(" ENVIRONMENT ")[2].partition(" FILES ")[0]
    read_ones = re.findall(r"\"(OLLAMA_\w+)\"", Path(environment.__file__).read_text(encoding="utf-8"))
    assert "OLLAMA_HOST" in read_ones
    assert {name for name in read_ones if name not in variables} == set()
    assert "credentials.json" in page.partition(" FILES ")[2]
    for command in COMMANDS[1:]:
        assert f"{command.replace(' ', '-')}(1)" in page.partition(" SEE ALSO ")[2]


@pytest.mark.skipif(
    shutil.which("man") is None and not os.environ.get("CI"), reason="man is missing: apt-get install man-db"
)
def test_man_finds_the_page_beside_a_command_on_the_path(share: Path) -> None:
    (share.parent / "bin").mkdir(exist_ok=True)
    path = f"{share.parent / 'bin'}:{os.environ['PATH']}"
    command = ["man", "-w", "ollama-cli-keys-list"]
    kept = {"PATH": path, "HOME": str(share.parent), "LANG": "C.UTF-8"}
    done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.strip() == str(share / "man" / "man1" / "ollama-cli-keys-list.1"), done.stderr


def test_the_completion_of_three_shells_stands_where_they_look(share: Path) -> None:
    for file, place in (
        ("ollama-cli.bash", "bash-completion/completions/ollama-cli"),
        ("_ollama-cli", "zsh/site-functions/_ollama-cli"),
        ("ollama-cli.fish", "fish/vendor_completions.d/ollama-cli.fish"),
    ):
        assert (share / place).read_bytes() == (ROOT / "completions" / file).read_bytes()


def test_an_editable_install_holds_no_page_that_would_grow_old(tmp_path: Path) -> None:
    build_editable = "import sys; from hatchling.build import build_editable; print(build_editable(sys.argv[1]))"
    (tmp_path / "built").mkdir()
    command = [sys.executable, "-c", build_editable, str(tmp_path / "built")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (built,) = (tmp_path / "built").iterdir()
    with zipfile.ZipFile(built) as archive:
        assert not [name for name in archive.namelist() if "share/" in name]
        assert [name for name in archive.namelist() if name.endswith(".pth")]


def test_the_build_takes_the_typer_that_the_program_takes() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (wanted,) = [name for name in settings["project"]["dependencies"] if name.startswith("typer")]
    assert wanted in settings["build-system"]["requires"]

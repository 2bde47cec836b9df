"""Every command in README.md is run as it stands there: installed with pip, pipx and uv, and at a terminal.

What is installed comes from wheels of what the tests have, so no server of packages is asked. ollama.com is the
sandbox: ``ollama-cli`` is ``ollama-cli --sandbox`` where a command needs an account.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from person_at_bash import Person
from serve_process import serve_process
from support import Cli, clean_environment
from wheelhouse import make_wheelhouse, unpacked

from ollama_cli.sandbox.server import EmbeddedSandbox

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
SCRIPTS = Path(sys.executable).parent

FIRST, INSTALLED, FORGOTTEN, UNINSTALLED = "python3 -m venv", "pipx install", "rm -rf", "pipx uninstall"
LOOKED_FOR = "realpath"
TYPED = {
    "ollama-cli signin": r"Signed in as sandbox\.[\s\S]*off your account",
    "git diff": r"(?s)(No model ran.*){2}Stand-in result",
    "status --quiet": r"\A\s*(\S*Thinking:[\s\S]*)?\Z",
    "keys list": r"(?s)FINGERPRINT.*is in backup_key.*new key now.*revoked",
}
"""What a person at a terminal is told, by something that stands in a block alone."""
OTHERS = [FIRST, INSTALLED, LOOKED_FOR, FORGOTTEN, UNINSTALLED, "OLLAMA_API_KEY", "ollama-cli serve", "curl"]

needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "git", "curl"))) and not os.environ.get("CI"), reason="bash, git or curl"
)
pytestmark = needs_tools


def block(word: str) -> str:
    """The one block that a word stands in."""
    (found,) = [text for text in BLOCKS if word in text]
    return found


def line(of: str, tool: str) -> str:
    """A block's line for one of the three tools."""
    (found,) = [text for text in block(of).splitlines() if text.startswith(f"{tool} ")]
    return found


def test_every_block_is_run() -> None:
    assert README.count("\n```") == 2 * len(BLOCKS)
    assert sorted(map(BLOCKS.index, map(block, [*TYPED, *OTHERS]))) == list(range(len(BLOCKS)))


@dataclass
class Checkout:
    """A copy of the sources on a machine without a network, and a person's shell in it.

    Attributes:
        tree: The copy.
        home: The person's home.
        environment: The shell's.
    """

    tree: Path
    home: Path
    environment: dict[str, str]

    def __call__(self, script: str, *, first_on_path: Path | None = None) -> str:
        """Run a script as it stands in the README, and return what it printed on stdout."""
        path = f"{first_on_path}{os.pathsep}{self.environment['PATH']}" if first_on_path else self.environment["PATH"]
        done = subprocess.run(
            ["bash", "-ec", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.tree,
            env=self.environment | {"PATH": path},
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of what a source distribution holds."""
    folder = tmp_path_factory.mktemp("machine")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (sources,) = (folder / "dist").iterdir()
    tree = unpacked(sources, folder / "sources")
    settings = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [*settings["project"]["dependencies"], *settings["build-system"]["requires"]]
    wheels = str(make_wheelhouse(folder / "wheels", *needed))
    home = folder / "home"
    home.mkdir()
    kept = clean_environment(home)
    del kept["OLLAMA_CLI_HOME"]
    tools = {
        "PATH": f"{home / '.local' / 'bin'}{os.pathsep}{SCRIPTS}{os.pathsep}{kept['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": wheels,
        "PIP_NO_COMPILE": "1",  # it takes longer than all else
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": wheels,
        "UV_PYTHON": sys.executable,
        "UV_LINK_MODE": "copy",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Checkout(tree, home, kept | tools)


def answered(text: str) -> bool:
    return "Rayleigh" in text and "No model ran." in text


def assert_found_where_it_is_looked_for(checkout: Checkout) -> None:
    """``man`` and bash find what the README's line copies; typing it again does no harm."""
    checkout(block(LOOKED_FOR))
    checkout(block(LOOKED_FOR))
    share = checkout.home / ".local" / "share"
    for place in ("bash-completion/completions/ollama-cli", "fish/vendor_completions.d/ollama-cli.fish"):
        assert "__complete" in (share / place).read_text(encoding="utf-8")
    if shutil.which("man"):
        assert checkout("man -w ollama-cli-keys-list").strip() == f"{share}/man/man1/ollama-cli-keys-list.1"


@pytest.mark.timeout(600)  # pip takes its time on a machine that has much to do
@pytest.mark.parametrize("tool", ["pip", "pipx", "uv"])
def test_it_is_installed_used_and_uninstalled(tool: str, checkout: Checkout) -> None:
    """With pip in the environment that the README's first command makes."""
    scripts = checkout.tree / ".venv" / "bin" if tool == "pip" else None
    if tool == "pip":
        assert answered(checkout(block(FIRST)))
    checkout(line(INSTALLED, tool), first_on_path=scripts)
    command = scripts or checkout.home / ".local" / "bin"
    assert (command / "ollama-cli").exists()
    asked = block(FIRST).partition(".venv/bin/ollama-cli")[2]
    assert answered(checkout(f"{shlex.quote(str(command / 'ollama-cli'))}{asked}"))
    if tool != "pip":
        assert_found_where_it_is_looked_for(checkout)
    folder = checkout.home / ".local" / "share" / "ollama-cli"
    assert folder.exists()
    forgotten = block(FORGOTTEN).replace("ollama-cli signout", "ollama-cli --sandbox signout")
    checkout(forgotten, first_on_path=command)
    assert not folder.exists()
    checkout(line(UNINSTALLED, tool), first_on_path=scripts)
    left = [path for place in (checkout.home, command) for path in place.rglob("*ollama-cli*")]
    assert [path for path in left if "cache" not in path.parts and ".cache" not in path.parts] == []


@pytest.mark.parametrize("word", TYPED)
def test_what_is_typed_at_a_terminal_works(word: str, tmp_path: Path) -> None:
    """In a repository with a change."""
    (tmp_path / "file").write_text("one\n")
    begin = "git init -q . && git add file && echo two > file\nollama-cli signin 2>/dev/null\n"
    told = Person(tmp_path)(begin + block(word))
    assert re.search(TYPED[word], told), told
    if word == "status --quiet":
        assert "No model ran." in (tmp_path / "answer.txt").read_text()


def test_the_page_about_the_account_works(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "account.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == page.count("\n```") / 2 == 2
    told = Person(tmp_path)("".join(blocks))
    assert re.search(r"(?s)Signed in as sandbox.*No model ran.*Fingerprint.*off your account.*Signed in as", told), told


def test_an_api_key_needs_no_sign_in(tmp_path: Path) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", pace=0) as sandbox:
        done = subprocess.run(
            ["bash", "-ec", block("OLLAMA_API_KEY").replace("…", sandbox.make_api_key().reveal())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=Person(tmp_path, sandbox).surroundings(),
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "No model ran." in done.stdout
    assert not (tmp_path / "state" / "data").exists()


def test_serve_answers_curl(tmp_path: Path) -> None:
    assert block("ollama-cli serve").split() == ["ollama-cli", "serve"]
    cli = Cli(tmp_path)
    assert cli("--sandbox", "signin").returncode == 0
    with serve_process(cli, before=("--sandbox",)) as serve:
        script = block("curl").replace("http://127.0.0.1:11434", serve.url)
        answer = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "stand-in" in answer
    assert '"done":true' in answer.replace(" ", "")

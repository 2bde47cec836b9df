"""The shell of the pages that have no test file of their own is typed as it stands there, at a terminal.

``ollama-cli`` is ``ollama-cli --insecure-storage``, for a test has no keyring; ollama.com is a sandbox. Addresses are
those of the test's own servers.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from documentation import PAGES, ROOT, blocks, calls, one_with
from guarded_daemon import GuardedDaemon
from person_at_bash import Person
from scripted_server import plain, scripted_server
from serve_process import serve_process
from support import Cli, approved_key, make_device
from terminals import Terminal

from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session
from ollama_cli.sandbox.server import EmbeddedSandbox

MODEL = "gpt-oss:120b-cloud"
DOCS = ROOT / "docs"

WORDS = {
    "chat.md": [MODEL + "\n", "--keep"],
    "doctor.md": ["# every check", "jq"],
    "keys.md": ["keys show", "keys revoke", "keys rotate", "keys import backup_key", "--public", "~/.ollama"],
    "libraries.md": ["signin"],
    "profiles.md": ["profile use", "key.txt", "token.txt"],
    "sandbox.md": ["keys revoke", "ollama-cli sandbox  ", "pull tiny", "--fault", "echo"],
    "serve.md": ["ollama-cli serve\n", "api/generate", "--daemon", "--socket", "--token\n", "systemctl", "podman"],
    "contributing.md": ["tests/run\n", "--hypothesis-profile", "'.[dev]'"],
    "install.md": ["-m build"],
}
"""A word of each block of these pages."""

NOT_RUN = {
    ("doctor.md", "jq"): "tests/cli/test_doctor.py runs it",
    ("sandbox.md", "--fault"): "tests/docs/test_generated.py reads each fault as the sandbox does",
    ("serve.md", "systemctl"): "no systemd runs here; tests/docs/test_serve_page.py has systemd check the unit",
    ("serve.md", "podman"): "no podman runs here; tests/docs/test_serve_page.py runs the container's command",
    ("contributing.md", "tests/run\n"): "it is what runs this",
    ("contributing.md", "--hypothesis-profile"): "it takes as long as one likes; the same tests run briefly",
    ("contributing.md", "'.[dev]'"): "tests/run does it",
    ("install.md", "-m build"): "docs/try_packages.py runs it, which .ci/run does",
}
"""The blocks of these pages that are not run by a test of this file, and why."""

RUN_BY = {
    "README.md": "docs/test_readme.py",
    "account.md": "docs/test_readme.py",
    "api.md": "docs/test_api_page.py",
    "headless.md": "docs/test_headless.py",
    "models.md": "docs/test_models_page.py",
    "scripting.md": "docs/test_scripting.py",
    "bench/README.md": "docs/test_bench.py",
    **dict.fromkeys(WORDS, "docs/test_examples.py"),
}
"""The tests that run a page's blocks of shell."""

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "ssh-keygen"))), reason="bash, curl or ssh-keygen is not installed"
)


def block(page: str, word: str) -> str:
    """The one block of a page in which a word stands."""
    assert word in WORDS[page]
    return one_with(word, blocks(DOCS / page))


def test_every_block_of_shell_is_run_or_told_why_not() -> None:
    named = {page: "bench/README.md" if page.parent.name == "bench" else page.name for page in PAGES}
    shell = {name for page, name in named.items() if blocks(page) and page != DOCS / "README.md"}
    assert shell == set(RUN_BY)
    assert [file for file in set(RUN_BY.values()) if not (ROOT / "tests" / file).exists()] == []
    for page, words in WORDS.items():
        assert {block(page, word) for word in words} == set(blocks(DOCS / page)), page


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[EmbeddedSandbox]:
    with EmbeddedSandbox(tmp_path / "cloud", pace=0) as sandbox:
        yield sandbox


@pytest.fixture
def device(tmp_path: Path, cloud: EmbeddedSandbox) -> Cli:
    """A device that is on the account."""
    home = tmp_path / "home"
    home.mkdir()
    cli = Cli(home, {"OLLAMA_CLOUD_BASE_URL": cloud.url})
    cloud.approve(make_device(cli, cloud.url).public_key, "this device")
    return cli


@pytest.fixture
def person(device: Cli, cloud: EmbeddedSandbox) -> Person:
    """Who sits at it."""
    return Person(device.home, cloud)


# Chats


def talk(device: Cli, *words: str) -> None:
    """Say something in a chat, and leave it."""
    chat = Terminal(device, *words)
    chat.until_prompt()
    chat.type("A word to you\r")
    chat.until_text(r"“A word to you”")
    chat.until_prompt()
    chat.type("/bye\r")
    assert chat.end() == 0


def test_the_page_about_chats(device: Cli) -> None:
    for text in ("One", "Two"):
        session = Session("gpt-oss:120b", messages=[Message("user", text), Message("assistant", "Yes.")])
        KeptChat(Archive(device.home / "state" / "data" / "chats.sqlite3"), MODEL, print).keep(session)
    (begun,), (kept, listed, again, other) = (list(calls(block("chat.md", word))) for word in WORDS["chat.md"])
    for words in (begun, kept):
        talk(device, *words)
    lines = device(*listed).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "3", "2", "1"]
    for words in (again, other):
        talk(device, *words)
    assert device("chats", "show", "3").stdout.count("A word to you") >= 3


# Credentials


def test_the_pages_about_doctor_and_libraries(person: Person) -> None:
    assert re.search(r'(?s)Account +Signed in.*"well": true', person(block("doctor.md", "# every check")))
    assert "Signed in as sandbox" in person(block("libraries.md", "signin"))


def test_the_page_about_keys_looks_and_revokes(person: Person, cloud: EmbeddedSandbox) -> None:
    shown = person(block("keys.md", "keys show"))
    assert re.search(r"(?s)FINGERPRINT.*yes.*ssh-ed25519 ", shown)
    this, two_others, in_a_script = block("keys.md", "keys revoke").splitlines()
    assert "signed out" in person(f"{this}\nollama-cli status || echo signed out $?")
    person("ollama-cli signin")
    for line, names in ((two_others, ["laptop", "server"]), (in_a_script, ["laptop"])):
        for name in names:
            (person.home / f"{name}.pub").write_text(f"{approved_key(cloud).public_key}\n")
        assert person(line).count("revoked") == len(names)


def test_the_page_about_keys_rotates(person: Person) -> None:
    at_once, in_a_script = block("keys.md", "keys rotate").splitlines()
    assert re.search(r"(?s)new key now.*off your account, and forgotten", person(at_once))
    assert "/connect?" in person(in_a_script, status=4)  # and it is approved
    assert "new key now" in person(in_a_script)


def test_the_page_about_keys_takes_in_and_gives_away(person: Person) -> None:
    public, encrypted, to_stdout = block("keys.md", "--public").splitlines()
    answers = {"New passphrase: ": "open sesame", "again: ": "open sesame"}
    told = person(f"{public}\n{encrypted}\n{to_stdout}", answers)
    assert re.search(r"(?s)ssh-ed25519 .*is in backup_key.*PRIVATE KEY", told)
    from_file, through_ssh = block("keys.md", "keys import backup_key").splitlines()
    elsewhere = Person(person.home, person.cloud, {"OLLAMA_CLI_HOME": str(person.home / "elsewhere")})
    assert "This device's key" in elsewhere(from_file, {"Passphrase": "open sesame"})
    third = Person(person.home, person.cloud, {"OLLAMA_CLI_HOME": str(person.home / "third")})
    ssh = f'ssh() {{ test "$1" = host; shift; OLLAMA_CLI_HOME={person.home / "state"} "$@"; }}\n'
    assert "This device's key" in third(f"{ssh}{through_ssh}\nollama-cli status")


def test_the_page_about_keys_shares_one_with_ollama(person: Person) -> None:
    taken, given = block("keys.md", "~/.ollama").splitlines()
    person(f"mkdir ~/.ollama\n{given}")
    theirs = (person.home / ".ollama" / "id_ed25519").read_text()
    assert "PRIVATE KEY" in theirs
    again = Person(person.home, person.cloud, {"OLLAMA_CLI_HOME": str(person.home / "again")})
    assert "Signed in" in again(f"{taken}\nollama-cli signin")
    alternative = next(calls(taken.partition("# or: ")[2]))
    assert alternative == ["signin", "--use-ollama-key"]
    third = Person(person.home, person.cloud, {"OLLAMA_CLI_HOME": str(person.home / "third")})
    assert "Signed in" in third(taken.partition("# or: ")[2])


def test_the_page_about_profiles(person: Person, cloud: EmbeddedSandbox) -> None:
    told = person(block("profiles.md", "profile use"))
    assert re.search(r"(?s)Signed in as sandbox.*No model ran.*work.*device key.*off your account", told)
    person("ollama-cli signout")
    key = cloud.make_api_key().reveal()
    (person.home / "key.txt").write_text(f"{key}\n")
    told = person(block("profiles.md", "key.txt"), {"API key: ": key})
    assert told.count("Signed in as sandbox") == 2
    assert key not in told


def test_the_page_about_profiles_keeps_a_token(person: Person, cloud: EmbeddedSandbox) -> None:
    bearer, basic, used, forgotten = block("profiles.md", "token.txt").splitlines()
    daemon = GuardedDaemon(cloud.url, "Bearer a-token")
    cloud.approve(daemon.device.public_key, "a daemon")
    (person.home / "token.txt").write_text("a-token\n")
    with daemon.running():
        here = daemon.url

        def at(line: str) -> str:
            return line.replace("https://ollama.example.org", here)

        assert "NAME" in person(f"{at(bearer)}\n{at(used)}")
        daemon.authorization = f"Basic {b64encode(b'me:secret').decode()}"
        told = person(f"{at(basic)}\n{at(used)}\n{at(forgotten)}", {r"(?i)(token|password)[^\n]*: $": "me:secret"})
    assert "NAME" in told
    assert "forgotten" in told


# Servers


def test_the_page_about_the_sandbox(device: Cli) -> None:
    person = Person(device.home)
    told = person(block("sandbox.md", "keys revoke") + block("sandbox.md", "pull tiny") + block("sandbox.md", "echo"))
    assert re.search(r"(?s)No model ran.*Account +sandbox.*revoked.*No model ran.*status 0", told)
    (words,) = calls(block("sandbox.md", "ollama-cli sandbox  "))
    server = device.start(*words, "--port", "0")
    try:
        assert server.stderr is not None
        address = next(re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stderr if "http" in line)
        assert address is not None
        assert address[0] in person("ollama-cli status || true")
    finally:
        server.terminate()
        server.communicate()


def curled(script: str, device: Cli) -> str:
    """What the line with curl in a block prints."""
    (line,) = [line for line in script.splitlines() if line.startswith("curl ")]
    command = ["bash", "-ec", line.replace("curl ", "curl -sSf ", 1)]
    return subprocess.run(
        command, env=device.environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_the_page_about_serve(device: Cli, tmp_path: Path) -> None:
    port = "localhost:11434"
    with scripted_server() as daemon:
        (words,) = [words for words in calls(block("serve.md", "--daemon")) if words[:1] == ["serve"]]
        daemon.answers(plain(b'{"models": [{"name": "of-the-daemon"}]}'))
        options = [daemon.url if word == "http://127.0.0.1:11435" else word for word in words[1:]]
        assert daemon.url in options
        with serve_process(device, *options) as serve:
            asked = block("serve.md", "api/generate").replace(port, serve.url.partition("//")[2])
            assert '"done":true' in curled(asked, device).replace(" ", "")
            with serve.client() as client:
                assert "of-the-daemon" in client.get("/api/tags").text
    device.environment["XDG_RUNTIME_DIR"] = str(tmp_path)
    (words,) = [words for words in calls(block("serve.md", "--socket")) if words[:1] == ["serve"]]
    with serve_process(device, *(word.replace("$XDG_RUNTIME_DIR", str(tmp_path)) for word in words[1:])):
        assert json.loads(curled(block("serve.md", "--socket"), device))["models"]


def test_the_page_about_serve_with_a_token_in_its_own_file(device: Cli) -> None:
    del device.environment["OLLAMA_CLI_HOME"]
    ((_, *options),) = calls(block("serve.md", "--token\n"))
    with serve_process(device, *options) as serve:
        address = serve.url.partition("//")[2]
        told = curled(block("serve.md", "--token\n").replace("localhost:11434", address), device)
        assert json.loads(told)["models"]
        with serve.client() as client:
            assert client.get("/api/tags").status_code == 401

"""The examples in docs/headless.md are run as a user without a name, a home, a keyring or a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bash import PATH, run_in_bash
from documentation import ROOT, blocks, one_with
from support import AS_A_USER, approved_key, needs_a_user

from ollama_cli import DeviceKey
from ollama_cli.sandbox.server import EmbeddedSandbox

EXAMPLES = blocks(ROOT / "docs" / "headless.md")
ANSWERED = r"No model ran\."

TOLD = {
    "status --quiet ||": ANSWERED,
    'search "what': r"\AStand-in result 1 for what is new\n\Z",
    "ssh-keygen": r"\Ahttp://127\.0\.0\.1:\d+/connect\?name=[^&\n]+&key=[\w-]+\n\Z",
    "export OLLAMA_CLI_KEY_FILE": ANSWERED,
    "--key-file /run/secrets": r"\A\S+\nOLLAMA_CLI_KEY\n\Z",
    "signin --api-key": ANSWERED,
}
"""What an example prints, by something that stands in it alone."""

pytestmark = [
    needs_a_user,
    pytest.mark.skipif(not all(map(shutil.which, ("bash", "jq", "ssh-keygen"))), reason="bash, jq or ssh-keygen"),
]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs a script beside a sandbox, with the secrets mounted, in a folder that can be written to."""
    secrets, here = tmp_path / "secrets", tmp_path / "here"
    secrets.mkdir()
    here.mkdir()
    with EmbeddedSandbox(tmp_path / "sandbox", pace=0) as sandbox:
        (secrets / "ollama_api_key").write_text(f"{sandbox.make_api_key().reveal()}\n")
        (secrets / "ollama_device_key").write_text(approved_key(sandbox).to_openssh().reveal())
        for path in (tmp_path, secrets, *secrets.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o444)
        here.chmod(0o777)
        (here / "state").mkdir(mode=0o700)
        if AS_A_USER:  # the files that the tests make are root's, who is somebody else there
            for path in (here, here / "state"):
                os.chown(path, os.geteuid(), os.getegid())

        def runner(script: str, *, named: bool = False, **env: str) -> subprocess.CompletedProcess[str]:
            script = script.replace("/run/secrets", str(secrets)).replace("/run/state", str(here / "state"))
            environment = {"PATH": PATH, "OLLAMA_CLOUD_BASE_URL": sandbox.url, "LANG": "C.UTF-8"}
            return run_in_bash(
                script,
                here,
                environment | env,
                as_a_user=[] if named else AS_A_USER,
                to_the_first_failure=False,
            )

        yield runner


def example(word: str) -> str:
    """The one example that a word stands in."""
    return one_with(word, EXAMPLES)


def test_every_example_is_expected_to_tell_something() -> None:
    assert sorted(map(EXAMPLES.index, map(example, TOLD))) == list(range(len(EXAMPLES)))


@pytest.mark.parametrize("word", TOLD)
def test_an_example_works_without_a_home_or_a_keyring(word: str, run: Run, tmp_path: Path) -> None:
    done = run(example(word), named=word == "ssh-keygen")  # which runs for users with a name only
    assert done.returncode == 0, done.stderr
    assert re.search(TOLD[word], done.stdout), done.stdout
    kept = {path.name for path in (tmp_path / "here").rglob("*.json")}
    assert kept == ({"credentials.json", "models.json"} if "signin" in word else set())


@pytest.mark.parametrize("name", ["OLLAMA_API_KEY", "OLLAMA_CLI_KEY"])
def test_a_file_that_cannot_be_used_is_a_mistake_and_nothing_takes_its_place(
    name: str, run: Run, tmp_path: Path
) -> None:
    other = {"OLLAMA_CLI_KEY_FILE": str(tmp_path / "secrets" / "ollama_device_key")} if "API" in name else {}
    for word in ("missing", "empty", "binary", "secrets"):
        path = tmp_path / word
        if word != "secrets":
            path.unlink(missing_ok=True)
        if word in {"empty", "binary"}:
            path.write_bytes(b"\xff\xfe" if word == "binary" else b" \n")
        done = run("ollama-cli status --json", **other, **{f"{name}_FILE": str(path)})
        assert (done.returncode, done.stdout) == (2, ""), word
        assert f"{name}_FILE" in done.stderr


def test_a_credential_that_is_given_both_ways_is_a_mistake(run: Run, tmp_path: Path) -> None:
    for name in ("OLLAMA_API_KEY", "OLLAMA_CLI_KEY"):
        done = run("ollama-cli status", **{name: "x", f"{name}_FILE": str(tmp_path / "secrets" / "ollama_api_key")})
        assert (done.returncode, f"Both {name} and {name}_FILE are set" in done.stderr) == (2, True)


def test_a_secret_in_the_place_of_its_file_s_name_is_not_repeated(run: Run) -> None:
    secret = "sk-that-was-set-in-the-wrong-variable"
    done = run("ollama-cli --debug status", OLLAMA_API_KEY_FILE=secret)
    assert (done.returncode, secret in done.stderr) == (2, False)
    pem = DeviceKey.generate().to_openssh().reveal()
    done = run("ollama-cli --debug status", OLLAMA_CLI_KEY_FILE=pem)
    assert (done.returncode, any(line in done.stderr for line in pem.splitlines()[1:-1])) == (2, False)


def test_the_api_key_s_file_goes_before_a_device_key_and_status_names_it(run: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "secrets" / "ollama_api_key")
    told = run(
        "ollama-cli status --json | jq -r '.credential, .source'",
        OLLAMA_API_KEY_FILE=file,
        OLLAMA_CLI_KEY=DeviceKey.generate().to_openssh().reveal(),
    )
    assert told.stdout == f"API key\nOLLAMA_API_KEY_FILE {file}\n"

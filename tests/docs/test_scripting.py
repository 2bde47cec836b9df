"""The examples in docs/scripting.md are run by bash as they stand there; a sandbox answers them."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from bash import PATH, run_in_bash
from documentation import ROOT, blocks, one_with
from support import clean_environment

from ollama_cli.sandbox.server import EmbeddedSandbox

PAGE = ROOT / "docs" / "scripting.md"
EXAMPLES, STEPS = blocks(PAGE), blocks(PAGE, "yaml")
LONG = "\n".join(f"Line {number} of a long text." for number in range(5000))
QUESTIONS = ["Why is the sky blue?", "What is 'quoted' \"twice\"?", "And $HOME?"]
AS_TOLD = r"No model ran\."

TOLD = {
    "answer=": r"\AThe answer: .*Name a colour",
    "#!/usr/bin/env bash": AS_TOLD,
    "jq -r '.answer, ": r"No model ran\.\)\n\(\d+ tokens\)\n\Z",
    "schema.json": r"\Astand-in, 1\n\Z",
    "--json-lines": r"Rayleigh",
    "answers.jsonl": r"(?s)(No model ran.*){3}",
    "find notes": r"\A\Z",
    "while IFS=": r"(?s)(No model ran.*){3}",
    "for pause in": r"\A\Z",
    "no-such-model": r"\Amodel_not_found, another try helps: false\n\Z",
    "status --quiet": r"\A\Z",
    "git log": r"\A\Z",
    "--sandbox": r"\A\Z",
}
"""What an example prints, by something that stands in it alone."""

MADE = {
    "#!/usr/bin/env bash": ["summary.txt", "summary.fr.txt"],
    "find notes": ["notes/a b.txt.summary", "notes/c.txt.summary"],
    "for pause in": ["answer.txt"],
    "git log": ["notes.md"],
}
"""The files with answers that an example makes."""

pytestmark = pytest.mark.skipif(
    not all(shutil.which(name) for name in ("bash", "jq", "git")), reason="bash, jq or git is not installed"
)


def example(word: str) -> str:
    """The one example that a word stands in."""
    return one_with(word, EXAMPLES)


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Runs a script beside a sandbox with faults, in a folder with what the page's examples take for granted."""
    here = tmp_path / "here"
    (here / "notes").mkdir(parents=True)
    (here / "long.txt").write_text(LONG)
    (here / "questions.txt").write_text("".join(f"{question}\n" for question in QUESTIONS))
    for name in ("a b.txt", "c.txt"):
        (here / "notes" / name).write_text("A note.")
    with ExitStack() as stack:

        def run(script: str, *faults: str) -> subprocess.CompletedProcess[str]:
            sandbox = stack.enter_context(EmbeddedSandbox(tmp_path / "sandbox", faults=faults, pace=0))
            environment = clean_environment(tmp_path) | {
                "PATH": PATH,
                "OLLAMA_CLOUD_BASE_URL": sandbox.url,
                "OLLAMA_API_KEY": sandbox.make_api_key().reveal(),
            }
            subprocess.run(["git", "init", "-q", here], env=environment, check=True)
            who = ["-c", "user.name=a", "-c", "user.email=a@b"]
            commit = ["git", *who, "commit", "-q", "--allow-empty", "-m", "Begin"]
            subprocess.run(commit, cwd=here, env=environment, check=True)
            return run_in_bash(script, here, environment, to_the_first_failure=False)

        yield run


Bash = Callable[..., subprocess.CompletedProcess[str]]


def test_every_example_is_expected_to_tell_something() -> None:
    assert sorted(map(EXAMPLES.index, map(example, TOLD))) == list(range(len(EXAMPLES)))


@pytest.mark.parametrize("word", TOLD)
def test_an_example_works(word: str, bash: Bash, tmp_path: Path) -> None:
    done = bash(example(word))
    assert done.returncode == 0, done.stderr
    assert re.search(TOLD[word], done.stdout), done.stdout
    for name in MADE.get(word, []):
        assert re.search(AS_TOLD, (tmp_path / "here" / name).read_text())


@pytest.mark.parametrize("tool", ["pipx", "pip"])
def test_a_step_of_a_build_works(tool: str, bash: Bash, tmp_path: Path) -> None:
    """Its lines, but that the tool that installs the program only looks whether it is given a folder of that name."""
    (step,) = [text for text in STEPS if f"{tool} install" in text]
    lines = textwrap.dedent(re.split(r"(?:run: \||script:)\n", step)[1].partition("  artifacts:")[0]).splitlines()
    (tmp_path / "here" / "ollama-cli").mkdir()
    script = "\n".join([f"{tool}() {{ [ $1 = install ] && [ -d $2 ]; }}", *(line.removeprefix("- ") for line in lines)])
    done = bash(f"set -e\n{script}")
    assert done.returncode == 0, done.stderr
    assert re.search(AS_TOLD, (tmp_path / "here" / "notes.md").read_text())


CUT = "POST /api/generate=cut:5"


def test_a_script_that_stops_at_the_first_error_leaves_no_half_of_an_answer(bash: Bash, tmp_path: Path) -> None:
    done = bash(example("#!/usr/bin/env bash"), CUT)
    assert (done.returncode, done.stdout) == (8, "")
    assert not (tmp_path / "here" / "summary.txt").exists()
    assert not (tmp_path / "here" / "summary.fr.txt").exists()


def test_a_pipe_to_jq_tells_that_the_answer_broke_off(bash: Bash) -> None:
    assert bash(example("jq -r '.answer, "), CUT).returncode == 8


def test_xargs_tells_that_one_of_many_failed(bash: Bash, tmp_path: Path) -> None:
    assert bash(example("find notes"), f"{CUT}*1").returncode == 123
    assert len(list((tmp_path / "here" / "notes").glob("*.txt.summary"))) == 1


def test_a_loop_asks_again_until_it_is_answered(bash: Bash, tmp_path: Path) -> None:
    script = example("for pause in").replace("5 30 120 0", "0 0 0 0")
    assert bash(script, f"{CUT}*2").returncode == 0
    assert re.search(AS_TOLD, (tmp_path / "here" / "answer.txt").read_text())


def test_a_limit_that_stays_ends_the_loop_with_its_status(bash: Bash) -> None:
    script = example("for pause in").replace("5 30 120 0", "0 0")
    assert bash(script, "POST /api/generate=status:429").returncode == 6


def test_a_device_that_is_signed_out_is_told_before_the_work(bash: Bash) -> None:
    done = bash(f"unset OLLAMA_API_KEY\n{example('status --quiet')}")
    assert (done.returncode, done.stderr) == (1, "Sign in first: ollama-cli signin\n")

"""How long the command takes to start, as a multiple of a bare interpreter: ``python bench/startup.py [ROUNDS]``.

Milliseconds differ from machine to machine and from hour to hour. So every round starts each command once, beside a
bare interpreter, in turn, and what is compared between machines is the ratio.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pexpect

import ollama_cli

COMMAND = str(Path(sys.executable).with_name("ollama-cli"))
BARE = "python -c pass"
ROUNDS = 20
MODEL = "qwen3-coder:480b-cloud"
"""A model of the sandbox that does not think, so that its first token is the first byte on stdout."""


@dataclass
class Case:
    """Something to start.

    Attributes:
        name: What the table calls it.
        arguments: The whole command line.
        environment: What it adds to a clean environment.
        stdin: What it reads.
        first_byte: Whether to stop the clock at the first byte on stdout, not at the end.
        status: The exit status that it has to have.
        seconds: What was measured.
    """

    name: str
    arguments: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    first_byte: bool = False
    status: int = 0
    seconds: list[float] = field(default_factory=list)

    def time(self) -> float:
        """Start it once; seconds from before the process is made."""
        started = time.perf_counter()
        process = subprocess.Popen(
            self.arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment() | dict(self.environment),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self.stdin)
        process.stdin.close()
        if self.first_byte:
            byte = os.read(process.stdout.fileno(), 1)
            seconds = time.perf_counter() - started
            assert byte, f"{self.name}: no answer"
        process.stdout.read()
        status = process.wait()
        if not self.first_byte:
            seconds = time.perf_counter() - started
        process.stdout.close()
        assert status == self.status, f"{self.name}: status {status}"
        return seconds


class ChatCase(Case):
    """A chat, until somebody can type."""

    def time(self) -> float:
        """Start it once at a terminal; seconds until its prompt is there."""
        environment = clean_environment() | {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
        started = time.perf_counter()
        chat = pexpect.spawn(self.arguments[0], self.arguments[1:], env=environment | dict(self.environment))
        chat.expect_exact(">>> ")
        seconds = time.perf_counter() - started
        chat.sendeof()
        chat.expect(pexpect.EOF)
        chat.close()
        return seconds


def clean_environment() -> dict[str, str]:
    """The environment without anything that is a setting; above all without PYTHONDONTWRITEBYTECODE."""
    kept = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LANG": "C.UTF-8"}


@contextmanager
def running_sandbox(home: Path) -> Iterator[str]:
    """``ollama-cli sandbox`` on a free port; gives its address."""
    process = subprocess.Popen(
        [COMMAND, "sandbox", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=clean_environment() | {"HOME": str(home), "OLLAMA_CLI_HOME": str(home / "server")},
        text=True,
    )
    try:
        assert process.stderr is not None
        found = None
        while found is None:
            line = process.stderr.readline()
            assert line, "the sandbox did not start"
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
        yield found[0]
    finally:
        process.terminate()
        process.communicate()


def sign_in(environment: Mapping[str, str], base_url: str, options: Sequence[str] = ("--insecure-storage",)) -> None:
    """Make a key, in a file unless the options say otherwise, and approve it on the sandbox's page."""
    done = subprocess.run(
        [COMMAND, *options, "signin", "--no-wait"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=clean_environment() | dict(environment),
        text=True,
        check=False,
    )
    with httpx.Client(trust_env=False) as browser:
        page = browser.get(done.stdout.strip()).text
        fields = {}
        for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
            attributes = dict(re.findall(r"(\w+)=\"([^\"]*)\"", tag))
            fields[attributes["name"]] = attributes["value"]
        browser.post(f"{base_url}/connect", data={**fields, "action": "approve"}).raise_for_status()


def peer(name: str) -> str | None:
    """A program to measure beside ours, from PATH or named by a variable; that it is missing is said."""
    variable = f"{name.upper()}_BENCH_PEER"
    found = os.environ.get(variable) or shutil.which(name)
    if found is None:
        print(f"{name} is not on PATH, and {variable} does not name it: it is left out.")
    return found


def measure(cases: list[Case], rounds: int) -> None:
    """Start every case once to warm it up, then once in every round, each round beginning with another one."""
    for case in cases:
        case.time()
    for number in range(rounds):
        shift = number % len(cases)
        for case in cases[shift:] + cases[:shift]:
            case.seconds.append(case.time())


def show(cases: list[Case]) -> None:
    """Print the table."""
    bare = next(case for case in cases if case.name == BARE)
    least, middle = min(bare.seconds), statistics.median(bare.seconds)
    print(f"{'command':<34} {'min ms':>8} {'median ms':>10} {'min ratio':>10} {'median ratio':>13}")
    for case in cases:
        low, median = min(case.seconds), statistics.median(case.seconds)
        print(f"{case.name:<34} {low * 1e3:>8.1f} {median * 1e3:>10.1f} {low / least:>10.1f} {median / middle:>13.1f}")


def main(rounds: int) -> None:
    """Measure and print."""
    package = ollama_cli.__file__
    assert package is not None
    compileall.compile_dir(Path(package).parent, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        signed_out = {"HOME": folder, "OLLAMA_CLI_HOME": str(home / "signed-out")}
        with running_sandbox(home) as base_url:
            signed_in = {"HOME": folder, "OLLAMA_CLI_HOME": str(home / "signed-in"), "OLLAMA_CLOUD_BASE_URL": base_url}
            sign_in(signed_in, base_url)
            in_cloud = signed_in | {"OLLAMA_HOST": "https://ollama.com"}
            Case("remembers names of models", [COMMAND, "list"], in_cloud).time()
            cases = [
                Case(BARE, [sys.executable, "-c", "pass"]),
                Case("ollama-cli --version", [COMMAND, "--version"], signed_out),
                Case("ollama-cli --help", [COMMAND, "--help"], signed_out),
                Case("ollama-cli status (signed out)", [COMMAND, "status"], signed_out, status=4),
                Case("Tab after ollama-cli run gpt", [COMMAND, "__complete", "zsh"], in_cloud, stdin=b"run\0gpt\0"),
                Case("ollama-cli run: first token", [COMMAND, "run", MODEL, "hi"], signed_in, first_byte=True),
                Case(
                    "with an option: first token",
                    [COMMAND, "run", MODEL, "hi", "--nowordwrap"],
                    signed_in,
                    first_byte=True,
                ),
                ChatCase("ollama-cli run: chat, ready to type", [COMMAND, "run", MODEL], signed_in),
            ]
            cases += [
                Case(f"{name} --version", [found, "--version"], signed_out)
                for name in ("curl", "gh", "llm", "ollama")
                if (found := peer(name)) is not None
            ]
            measure(cases, rounds)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {rounds} rounds, interleaved")
    show(cases)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)

"""Measures everything that docs/performance.md tells, and writes that page: ``python bench/report.py``.

The measurements are those of the other scripts here, one after the other; within each, what is compared is run in turn.
Peers are used where they are on PATH or named by a variable such as ``OLLAMA_BENCH_PEER``; the page says which were
missing. It takes some six minutes; the machine should do nothing else.
"""

from __future__ import annotations

import datetime as dt
import io
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx
from imports import costs, rows
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from startup import COMMAND, MODEL, clean_environment, peer, running_sandbox, sign_in

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
PICTURE = HERE.parent / "docs" / "pictures" / "performance.svg"
SCRIPTS = (
    ("How fast it starts", "startup.py", "30"),
    ("The first token from afar", "first_token.py", "10"),
    ("A long answer", "stream.py", "5"),
    ("What grows with what is kept", "growth.py", "30"),
    ("The keyring's share", "keyrings.py", "20"),
    ("Through serve", "serve.py", "20"),
    ("Markdown beside plain text", "markdown.py", "3"),
)
QUESTION = ["run", MODEL, "hi"]
_ROW = re.compile(r"^(\S.*?)((?: +[\d.]+)+)$", re.MULTILINE)
_PACKAGES = ("typer", "httpx", "cryptography", "rich", "prompt-toolkit", "keyring")
_RATIO, _RATIO_OF_GROWTH, _CPU, _MEGABYTES = 2, 2, 2, 4
"""Columns of the printed tables: of startup.py, growth.py and stream.py."""
_WIDEST_BAR = 50


@dataclass(frozen=True)
class Goal:
    """What is aimed at.

    Attributes:
        text: The aim, in words.
        measured: The figure, or None where a peer is missing.
        limit: What it may be at most.
        unit: What both are counted in.
    """

    text: str
    measured: float | None
    limit: float
    unit: str = ""

    def row(self) -> str:
        """Its row of the page's table."""
        if self.measured is None:
            return f"| {self.text} | not measured: the peer is missing | - | - |"
        met = "yes" if self.measured <= self.limit else "**no**"
        return f"| {self.text} | {self.limit:.4g}{self.unit} | {self.measured:.3g}{self.unit} | {met} |"


def printed(script: str, *arguments: str) -> str:
    """What a measurement prints."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.rstrip()


def table(text: str) -> dict[str, list[float]]:
    """The rows of a printed table, by their names."""
    return {name: [float(figure) for figure in figures.split()] for name, figures in _ROW.findall(text)}


@contextmanager
def at_a_sandbox() -> Iterator[tuple[str, dict[str, str]]]:
    """A sandbox's address, and the environment of a device that is signed in there."""
    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder)) as url:
        environment = {"HOME": folder, "OLLAMA_CLI_HOME": str(Path(folder, "ours")), "OLLAMA_CLOUD_BASE_URL": url}
        sign_in(environment, url)
        yield url, environment


def requests_before_the_answer() -> int:
    """How many requests a one-shot ``run`` makes, as the sandbox has counted them."""
    with at_a_sandbox() as (url, environment):

        def count() -> int:
            return len(httpx.get(f"{url}/sandbox/requests", trust_env=False).json())

        before = count()
        subprocess.run(
            [COMMAND, *QUESTION],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=clean_environment() | environment,
            check=True,
        )
        return count() - before


def imports_of_a_question() -> str:
    """What a one-shot ``run`` imports, as a table."""
    with at_a_sandbox() as (_, environment):
        return "\n".join(rows(*costs(QUESTION, environment)))


def goals(texts: dict[str, str]) -> list[Goal]:
    """Every goal with its figure."""
    starts = table(texts["startup.py"])
    afar = {int(part.split()[0]): table(part) for part in re.split(r"\n\n(?=\d+ ms)", texts["first_token.py"])[1:]}
    streams, growth = table(texts["stream.py"]), table(texts["growth.py"])
    ours, many = streams["ollama-cli run"], next(row for name, row in streams.items() if name.startswith("the same"))

    def share(figure: float, peer: list[float] | None, column: int) -> float | None:
        return None if peer is None else figure / peer[column]

    peer, llm, cold = streams.get("the reference"), streams.get("llm"), afar[50].get("the reference, daemon cold")
    return [
        Goal("`--version`, times a bare interpreter", starts["ollama-cli --version"][_RATIO], 2, "x"),
        Goal("`run`: first token on loopback", starts["ollama-cli run: first token"][_RATIO], 9, "x"),
        Goal("a chat, ready to type", starts["ollama-cli run: chat, ready to type"][_RATIO], 25, "x"),
        Goal("Tab", starts["Tab after ollama-cli run gpt"][_RATIO], 8, "x"),
        Goal("requests before the first token", float(requests_before_the_answer()), 1),
        Goal(
            "first token at 50 ms a round trip, of the reference's through a cold daemon",
            share(afar[50]["ollama-cli run"][0], cold, 0),
            1,
            "x",
        ),
        Goal("50,000 chunks: CPU, of the reference's", share(ours[_CPU], peer, _CPU), 1, "x"),
        Goal("50,000 chunks: CPU, of llm's", share(ours[_CPU], llm, _CPU), 0.2, "x"),
        Goal("one-shot: peak of memory", ours[_MEGABYTES], 45, " MB"),
        Goal("1,000,000 chunks: more memory than 50,000", max(0.0, many[_MEGABYTES] - ours[_MEGABYTES]), 10, " MB"),
        Goal("twenty times the chunks: CPU, of twenty times the CPU", many[_CPU] / (20 * ours[_CPU]), 1, "x"),
        Goal("`--version` with 10,000 chats and 1,000 profiles", growth["--version"][_RATIO_OF_GROWTH], 1.05, "x"),
        Goal("`run` with 10,000 chats and 1,000 profiles", growth["run"][_RATIO_OF_GROWTH], 1.05, "x"),
    ]


def draw(texts: dict[str, str]) -> None:
    """Draw the first tokens from afar as bars."""
    console = Console(record=True, width=92, file=io.StringIO())
    for part in re.split(r"\n\n(?=\d+ ms)", texts["first_token.py"])[1:]:
        figures = table(part)
        longest = max(row[0] for row in figures.values())
        console.print(part.splitlines()[0], style="bold")
        for name, (least, *_) in figures.items():
            bar = "█" * max(1, round(least / longest * _WIDEST_BAR))
            console.print(f"  {name:<28}", end="")
            console.print(bar, style="green" if name.startswith("ollama-cli") else "bright_black", end="")
            console.print(f" {least:.0f} ms")
    console.save_svg(
        str(PICTURE), title="process start to first token", theme=SVG_EXPORT_THEME, unique_id="performance"
    )


def versions_of_peers() -> Iterator[str]:
    """Every program that is measured beside ours, with its version."""
    for name in ("curl", "gh", "llm", "ollama"):
        program = peer(name)
        if program is None:
            yield f"no {name}"
            continue
        done = subprocess.run(
            [program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
        )
        found = re.search(r"\d+(?:\.\d+)+", done.stdout)
        yield f"{name} {found[0] if found else 'of no version'}"


def page(texts: dict[str, str]) -> str:
    """The page."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    parts = [
        HEAD.format(
            date=dt.datetime.now(dt.UTC).date(),
            python=platform.python_version(),
            system=platform.system(),
            versions=versions,
            peers=", ".join(versions_of_peers()),
        )
    ]
    parts += [goal.row() for goal in goals(texts)]
    parts.append(PICTURE_LINE)
    for title, script, rounds in SCRIPTS:
        parts.append(f"\n## {title}\n\n`python bench/{script} {rounds}`\n\n```\n{texts[script]}\n```")
    parts.append(WAYS.format(imports=imports_of_a_question()))
    return "\n".join(parts) + "\n"


HEAD = """# Performance

What the program costs, measured on {date} with Python {python} on {system}, two cores
({versions}).
Beside it: {peers} (an `ollama` of version 0.0.0 is one built from its sources).

This page is written by `python bench/report.py`, which runs the scripts that
[bench/README.md](../bench/README.md) explains. Compare ratios, not milliseconds: machines and hours differ. A ratio is
of the smallest times, each within one run.

| goal | at most | measured | met |
| --- | --- | --- | --- |"""

PICTURE_LINE = """
![From the start of the process to the first token, beside curl and the reference](pictures/performance.svg)

At a distance the reference's client asks its daemon three things in a row, each of which goes to the cloud; ours asks
one. A bare `curl` shows what the way itself takes: two round trips for the connection, one for the question."""

WAYS = """
## Where the time goes, and what was done about it

Figures in this section are milliseconds of the machine that wrote the page, where a bare interpreter takes nine to ten.

- **Late imports.** A command imports what it uses when it runs, and a group knows its commands from a table. A start
  without that took twice as long.
- **A `run` without options is read without Typer** (`ollama_cli/commands/run/plain.py`): there is nothing to parse in
  `run MODEL WORD…`. 97 to 80. Importing Typer, httpx and what signs takes 82 by itself, 8.9 times a bare interpreter:
  with Typer the goal could not be met. The row `with an option` tells what a line costs that needs it.
- **No dataclass is defined on the way to a first token**: each takes a third of a millisecond, a named tuple a fifth of
  that. With 23 of them, and fewer patterns compiled before they are used: 103 to 97, and 80 to 76.
- **The connection while the program loads.** `run` begins to connect as soon as it is sure where the question goes
  (`ollama_cli/transport/early.py`), and httpx, cryptography and the credential are loaded meanwhile.
- **A transport for the one-shot** on `http.client` (`ollama_cli/transport/one_shot.py`), which httpx imports anyway:
  httpcore, h11 and anyio stay out, and a piece of an answer costs half as much. Everything else, and every request
  through a proxy or with a deadline, goes through httpx's own. One suite of tests holds both to the same behaviour.
- **An unencrypted key is read by ourselves** (`ollama_cli/credentials/plain_key.py`) where it is exactly what OpenSSH
  writes: the library for all forms takes as long to import as the rest of a signature.
- **A piece of an answer is a tuple**, and no context manager is made for each: together that, and not searching ASCII
  for half characters, took 0.70 seconds of CPU for 50,000 pieces to 0.40.
- **The list of credentials says only what is unusual of a key**, so that a thousand profiles take 2 to read and not 3.
- Garbage collection is off until a command runs.

Tried, and left out:

- **Modules of the standard library loaded only when they are used**, by `importlib.util.LazyLoader` (`ssl`,
  `subprocess`, `platform` and nine more): 75 to 74, for it has to be loaded itself; and before Python 3.12 two threads
  that use such a module at once can fail.
- **No httpx in the one-shot**: 31 less, and 5.3 times a bare interpreter. Signing, redirects, errors and what `--debug`
  tells are written for httpx once; a second form of each would have to be kept the same.
- **Fewer and larger modules of our own**: each costs about a tenth of a millisecond, all together 7.

What is left of a first token is imports, here in milliseconds under `-X importtime`, which makes each a little slower:

```
{imports}
```
"""


def main() -> None:
    """Measure, draw and write."""
    texts = {script: printed(script, rounds) for _, script, rounds in SCRIPTS}
    draw(texts)
    PAGE.write_text(page(texts), encoding="utf-8")


if __name__ == "__main__":
    main()

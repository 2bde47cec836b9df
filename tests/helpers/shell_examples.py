"""What tests of pages share: the examples that stand in one, and a bash that runs them as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from support import COMMAND

ROOT = Path(__file__).parents[2]
SECONDS = 100
PATH = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
"""A search path on which the installed command is found first."""


def examples_in(page: str) -> list[str]:
    """The blocks for a shell in a page, named by its path from the root of the tree."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def one_with(word: str, examples: Sequence[str]) -> str:
    """The one example that a word stands in."""
    (found,) = [example for example in examples if word in example]
    return found


def run_in_bash(
    script: str,
    folder: Path,
    environment: Mapping[str, str],
    *,
    as_a_user: Sequence[str] = (),
    to_the_first_failure: bool = True,
    seconds: int = SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end, in a folder, without anything to read.

    Args:
        script: The script.
        folder: Where.
        environment: All that stands in its environment.
        as_a_user: What makes somebody else of who runs it; see ``support.AS_A_USER``.
        to_the_first_failure: Whether the first command that fails ends it.
        seconds: How long it may take.
    """
    return subprocess.run(
        [*as_a_user, "bash", "-ec" if to_the_first_failure else "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder,
        env=dict(environment),
        timeout=seconds,
        check=False,
    )

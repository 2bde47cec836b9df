"""A bash that runs what stands in a page, with the installed command on its path."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from support import COMMAND

SECONDS = 100
PATH = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
"""A search path on which the installed command is found first."""


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

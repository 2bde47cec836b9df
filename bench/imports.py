"""What a command imports, and what that costs: ``python bench/imports.py status``, by ``python -X importtime``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping

_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")
SHOWN = 20


def costs(arguments: list[str], environment: Mapping[str, str] | None = None) -> tuple[Counter[str], Counter[str]]:
    """Microseconds and modules per top-level package, of one run of the command.

    Args:
        arguments: Its command line.
        environment: What its environment has beside an empty home.
    """
    with tempfile.TemporaryDirectory() as home:
        kept = {"PATH": os.environ["PATH"], "HOME": home, "OLLAMA_CLI_HOME": home, **(environment or {})}
        command = [sys.executable, "-X", "importtime", "-m", "ollama_cli", *arguments]
        subprocess.run(command, env=kept, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # compiles
        done = subprocess.run(command, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    microseconds: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for cost, name in _LINE.findall(done.stderr):
        package = name.partition(".")[0]
        microseconds[package] += int(cost)
        modules[package] += 1
    return microseconds, modules


def rows(microseconds: Counter[str], modules: Counter[str]) -> Iterator[str]:
    """The lines of a table of the dearest packages."""
    yield f"{'package':<24} {'ms':>7} {'modules':>8}"
    for package, cost in microseconds.most_common(SHOWN):
        yield f"{package:<24} {cost / 1000:>7.1f} {modules[package]:>8}"
    yield f"{'all':<24} {microseconds.total() / 1000:>7.1f} {modules.total():>8}"


def main(arguments: list[str]) -> None:
    """Print the dearest packages."""
    print("\n".join(rows(*costs(arguments))))


if __name__ == "__main__":
    main(sys.argv[1:])

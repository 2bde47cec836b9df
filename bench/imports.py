"""What a command imports, and what that costs: ``python bench/imports.py status``, by ``python -X importtime``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")
SHOWN = 20


def costs(arguments: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Microseconds and modules per top-level package, of one run of the command."""
    with tempfile.TemporaryDirectory() as home:
        kept = {"PATH": os.environ["PATH"], "HOME": home, "OLLAMA_CLI_HOME": home}
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


def main(arguments: list[str]) -> None:
    """Print the dearest packages."""
    microseconds, modules = costs(arguments)
    print(f"{'package':<24} {'ms':>7} {'modules':>8}")
    for package, cost in microseconds.most_common(SHOWN):
        print(f"{package:<24} {cost / 1000:>7.1f} {modules[package]:>8}")
    print(f"{'all':<24} {microseconds.total() / 1000:>7.1f} {modules.total():>8}")


if __name__ == "__main__":
    main(sys.argv[1:])

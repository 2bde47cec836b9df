"""Writes the completion scripts beside it: ``python completions/make.py``, or ``--check`` to compare only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = {
    "bash": FOLDER / "ollama-cli.bash",
    "zsh": FOLDER / "_ollama-cli",  # the name by which zsh finds it
    "fish": FOLDER / "ollama-cli.fish",
    "powershell": FOLDER / "ollama-cli.ps1",
}


def script_for(shell: str) -> str:
    """What the program prints for a shell."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "ollama_cli", "completion", shell],
        env=kept | {"LANG": "C.UTF-8", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


def main(arguments: list[str]) -> int:
    """Write the scripts, or compare them.

    Returns:
        The exit status: 1 where one is not current.
    """
    status = 0
    for shell, file in FILES.items():
        current = script_for(shell)
        if arguments != ["--check"]:
            file.write_text(current, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != current:
            sys.stderr.write(f"completions/{file.name} is not current: run `python completions/make.py`.\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

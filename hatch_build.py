"""What a wheel holds besides the package: manual pages, made from the commands, and the completion of three shells.

They go where a system looks for them, below the environment that the wheel is installed in: ``share/man`` and so on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPLETIONS = {
    "completions/ollama-cli.bash": "share/bash-completion/completions/ollama-cli",
    "completions/_ollama-cli": "share/zsh/site-functions/_ollama-cli",
    "completions/ollama-cli.fish": "share/fish/vendor_completions.d/ollama-cli.fish",
}

# Python's path is set within Python: the environment that pip builds in takes off the path whatever the environment
# around it finds by a .pth file, which this tree is once it is installed for editing, PYTHONPATH or not.
RUN_WITH_TREE = """
import runpy, sys
del sys.argv[0]
sys.path.insert(0, sys.argv.pop(0))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class ManualAndCompletion(BuildHookInterface):  # type: ignore[type-arg]  # hatchling finds it by its base class
    """Adds them to a wheel.

    An editable install gets none of them: a page that is made once would tell old options of a program that changes.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the pages, and name what is to be added."""
        if version == "editable":
            return
        self._folder = TemporaryDirectory(prefix="ollama-cli-man-")
        root, folder = Path(self.root), Path(self._folder.name)
        environment = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}  # the tree stays as it is
        command = [sys.executable, "-c", RUN_WITH_TREE, self.root, str(root / "docs" / "make_man.py"), str(folder)]
        subprocess.run(command, env=os.environ | environment, check=True)  # noqa: S603 - all of it is ours
        pages = {str(page): f"share/man/man1/{page.name}" for page in sorted(folder.iterdir())}
        completions = {str(root / file): place for file, place in COMPLETIONS.items()}
        build_data["shared_data"] |= pages | completions

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """Remove the pages, which are in the wheel now."""
        if version != "editable":
            self._folder.cleanup()

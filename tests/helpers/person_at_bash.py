"""Somebody who types what a page says: bash at a terminal, beside a sandbox that stands in for ollama.com."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
from support import COMMAND, Sandbox, clean_environment
from terminals import LINK

from ollama_cli.sandbox.server import EmbeddedSandbox

WITHOUT_KEYRING = 'ollama-cli() { command ollama-cli --insecure-storage "$@"; }\n'
IN_THE_SANDBOX = 'ollama-cli() { command ollama-cli --sandbox "$@"; }\n'
YES = r"\[y/n\]\S* \S*\(n\)\S*: "


@dataclass
class Person:
    """They say yes to every question, and approve every device at the page whose link they are shown.

    Attributes:
        home: Their home; what they type, they type in it.
        cloud: The sandbox in the place of ollama.com, or None where every command has one of its own.
        environment: What their shell's environment has beside the usual.
    """

    home: Path
    cloud: EmbeddedSandbox | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, script: str, answers: Mapping[str, str] | None = None, *, status: int = 0) -> str:
        """Type a script, and return what the terminal showed.

        Args:
            script: As it stands on a page.
            answers: What is typed where a pattern is shown, beside yes.
            status: What it has to end with.
        """
        replies = {YES: "y", **(answers or {})}
        shell: Any = pexpect.spawn(
            "bash",
            ["-ec", f"{WITHOUT_KEYRING if self.cloud else IN_THE_SANDBOX}{script}"],
            env=self.surroundings(),
            cwd=str(self.home),
            encoding="utf-8",
            dimensions=(50, 400),
            timeout=60,
        )
        told = ""
        while found := shell.expect([pexpect.EOF, LINK, *replies]):
            told += shell.before + shell.after
            if found == 1:
                assert self.cloud is not None
                assert Sandbox(self.cloud.url).decide(shell.after).status_code == 200
            else:
                shell.send(f"{list(replies.values())[found - 2]}\r")
        told += shell.before
        shell.close()
        assert shell.exitstatus == status, told
        return str(told)

    def surroundings(self) -> dict[str, str]:
        """The environment of their shell, with the command on the path."""
        environment = clean_environment(self.home) | {"TERM": "xterm-256color", "BROWSER": "true"} | self.environment
        if self.cloud is not None:
            environment["OLLAMA_CLOUD_BASE_URL"] = self.cloud.url
        return environment | {"PATH": f"{Path(COMMAND).parent}{os.pathsep}{environment['PATH']}"}

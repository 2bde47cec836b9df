"""Real shells in a pseudo-terminal, in which a person types and presses Tab."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pytest
from support import COMMAND, Cli

SHELLS = ("bash", "zsh", "fish")
SECONDS = 60

_ARGUMENTS = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"], "fish": ["--no-config", "-i"]}
_SHOW_LINE = "\x0f"  # Ctrl-O shows the line as it stands, between << and >>
_BEGINNING = {
    "bash": (
        "bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'",
        """bind -x '"\\C-o": printf "<<%s>>" "$READLINE_LINE"'""",
    ),
    "zsh": (
        "unsetopt beep prompt_sp; unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D",
        "show() { print -rn -- '<<'$BUFFER'>>' >/dev/tty }; zle -N show; bindkey '^O' show",
        "bindkey '^U' kill-whole-line",
    ),
    "fish": (
        "function fish_prompt; end; function fish_title; end; set -g fish_autosuggestion_enabled 0",
        "bind \\co 'printf \"<<%s>>\" (commandline)'; bind \\cu 'commandline \"\"'",
    ),
}


_FOUND_BY_ITSELF = {
    "zsh": ("_ollama-cli", "fpath=({folder} $fpath)"),
    "fish": ("ollama-cli.fish", "set -g fish_complete_path {folder} $fish_complete_path"),
}
"""Under which name a shell finds the script by itself, and what names the folder."""


class Shell:
    """A shell that has the completion script.

    Args:
        name: Which one.
        cli: The surroundings of the command.
        before: More for the shell to do at its beginning.
        env: More of its environment.
        cwd: Where it starts.
        sourced: Whether the script is sourced, and not found by itself in a folder for such scripts.
    """

    def __init__(
        self,
        name: str,
        cli: Cli,
        *,
        before: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        sourced: bool = False,
    ) -> None:
        program = shutil.which(name)
        if program is None:
            pytest.skip(f"{name} is not installed")
        folder = cli.home / "scripts"
        folder.mkdir(exist_ok=True)
        file_name, naming = _FOUND_BY_ITSELF.get(name, (f"ollama-cli.{name}", ""))
        script, beginning = folder / file_name, [*_BEGINNING[name], *before]
        if sourced or not naming:
            beginning.append(f"source {script}")
        else:
            beginning.insert(0, naming.format(folder=folder))
        done = cli("completion", name)
        assert done.returncode == 0, done.stderr
        script.write_text(done.stdout)
        environment = cli.environment | {"TERM": "xterm-256color"} | dict(env or {})
        environment["PATH"] = f"{Path(COMMAND).parent}:{environment['PATH']}"
        self.child: Any = pexpect.spawn(
            program,
            _ARGUMENTS[name],
            env=environment,
            encoding="utf-8",
            timeout=SECONDS,
            dimensions=(50, 200),
            cwd=str(cwd or cli.home),
        )
        self.child.delaybeforesend = None
        self.child.logfile_read = self._seen = io.StringIO()
        for line in beginning:
            self.child.sendline(line)
        # The last of the beginning is done once a line can be shown; the mark is not in what is echoed.
        self.child.sendline("printf '%s-%s\\n' it begins")
        self.child.expect("it-begins")

    @property
    def seen(self) -> str:
        """All that was sent to the terminal."""
        return self._seen.getvalue()

    def press(self, keys: str) -> str:
        """Type keys into an empty line, and see what then stands in it."""
        self.child.send(f"{keys}{_SHOW_LINE}")
        self.child.expect(r"<<((?s:.*?))>>")
        line = self.child.match[1]
        self.child.send("\x05\x15")  # to the end of the line, and all of it away
        return re.sub(r"\s*\r?\n\s*", "", line)

    def do(self, line: str) -> None:
        """Have it run a line, to its end."""
        self.child.sendline(f"{line}; printf '%s-%s\\n' it ends")
        self.child.expect("it-ends")

    def end(self) -> None:
        """Have it leave."""
        self.child.sendline("exit")
        self.child.expect(pexpect.EOF)
        self.child.close()

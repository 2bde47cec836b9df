"""Hundreds of command lines in the time of a few: a process that has imported the program, and forks for each.

A child starts where the installed script does, with ``entry``, an environment and standard streams of its own. What a
fork spares is the interpreter's start and the imports.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from killing import kill_at

KILLED_AT = "KILLED_AT_STEP"
"""The variable that has a command die at a step; see ``killing.py``."""


class Forks:
    """Starts commands in forks, one after the other.

    Args:
        folder: Where the output of a command stands while it runs.
        moved: Ports of 127.0.0.1, and those that a connection to them reaches instead.
    """

    def __init__(self, folder: Path, *, moved: Mapping[int, int] | None = None) -> None:
        self._in, self._out, self._err = folder / "stdin", folder / "stdout", folder / "stderr"
        command = [sys.executable, __file__, json.dumps(dict(moved or {}))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(
        self, *args: str, env: Mapping[str, str], stdin: bytes | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line to its end; without ``stdin`` it reads from /dev/null."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if stdin is not None:
            self._in.write_bytes(stdin)
        streams = [os.devnull if stdin is None else str(self._in), str(self._out), str(self._err)]
        job = {"args": args, "env": dict(env), "streams": streams, "cwd": str(cwd or Path.cwd())}
        self._process.stdin.write(f"{json.dumps(job)}\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        out, err = (path.read_bytes().decode() for path in (self._out, self._err))
        return subprocess.CompletedProcess(args, status, out, err)

    def close(self) -> None:
        """End the process that forks."""
        self._process.communicate()


def _import_the_program() -> None:
    import ollama_cli

    for module in pkgutil.walk_packages(ollama_cli.__path__, "ollama_cli."):
        if "sandbox" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("certifi", "decimal", "filelock", "httpcore", "truststore"):  # what a command imports when it runs
        importlib.import_module(name)


def _run(job: Mapping[str, object]) -> None:
    """Run a job in this process, which ends with it."""
    from ollama_cli.__main__ import entry

    environment, args, streams = job["env"], job["args"], job["streams"]
    assert isinstance(environment, dict)
    assert isinstance(args, list)
    assert isinstance(streams, list)
    os.chdir(str(job["cwd"]))
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it read jobs; a child starts anew
    sys.argv[1:] = args
    if KILLED_AT in environment:
        kill_at(int(environment[KILLED_AT]))
    try:
        entry()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(end.code or 0))  # at once: tidying up what was imported takes as long as a command


def _move_ports(moved: Mapping[str, int]) -> None:
    connect = socket.socket.connect

    def connect_there(self: socket.socket, address: Any, /) -> None:
        if address[0] == "127.0.0.1":
            address = ("127.0.0.1", moved.get(str(address[1]), address[1]))
        connect(self, address)

    socket.socket.connect = connect_there  # type: ignore[assignment, method-assign]


def _serve() -> None:
    _import_the_program()
    _move_ports(json.loads(sys.argv[1]))
    gc.freeze()  # what is there now is never collected in a child, which would copy all of it
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer to who sent the job


if __name__ == "__main__":
    _serve()

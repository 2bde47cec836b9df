"""Hundreds of command lines in the time of a few: a process that has imported the program, and forks for each.

A child starts where the installed script does, with ``entry``, an environment and standard streams of its own. What a
fork spares is the interpreter's start and the imports.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from killed_at_step import kill_at

KILLED_AT = "KILLED_AT_STEP"
"""The variable that has a command die at a step; see ``killed_at_step.py``."""

SECONDS = 60
"""After so long a command that has not ended is taken for one that hangs, and is killed by SIGALRM."""


@dataclass(frozen=True)
class Trouble:
    """What besets a command that is forked.

    Attributes:
        closed: Which of its standard streams are closed.
        signal: What it is sent.
        at_call: In the middle of which of its function calls, counted from its start.
        clock: By how many seconds its clock is wrong.
        read_only: A folder that it cannot write to, on a disk that is read only.
        full: A folder on a disk that has no room. These two take root.
        nameless: Whether its user stands in no list of users, so that a home is where HOME says or nowhere.
        out: Where its standard output and error go, such as a terminal.
    """

    closed: Sequence[int] = ()
    signal: int = 0
    at_call: int = 0
    clock: int = 0
    read_only: str = ""
    full: str = ""
    nameless: bool = False
    out: str = ""


_NONE = Trouble()


class Forks:
    """Starts commands in forks, one after the other.

    Args:
        folder: Where the output of a command stands while it runs.
        moved: Ports of 127.0.0.1, and those that a connection to them reaches instead.
        env: What stands in the environment of the process that forks, for what an interpreter reads at its start.
    """

    def __init__(
        self, folder: Path, *, moved: Mapping[int, int] | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self._in, self._out, self._err = folder / "stdin", folder / "stdout", folder / "stderr"
        command = [sys.executable, __file__, json.dumps(dict(moved or {}))]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
        )

    def __call__(
        self,
        *args: str,
        env: Mapping[str, str],
        stdin: bytes | None = None,
        cwd: Path | None = None,
        trouble: Trouble = _NONE,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line to its end; without ``stdin`` it reads from /dev/null."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if stdin is not None:
            self._in.write_bytes(stdin)
        for path in (self._out, self._err):
            path.write_bytes(b"")
        outputs = [trouble.out or str(self._out), trouble.out or str(self._err)]
        streams = [os.devnull if stdin is None else str(self._in), *outputs]
        job = {"args": args, "env": dict(env), "streams": streams, "cwd": str(cwd or Path.cwd())}
        job["trouble"] = asdict(trouble)
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
    trouble = Trouble(**job["trouble"])  # type: ignore[arg-type]
    signal.alarm(SECONDS)
    if trouble.read_only or trouble.full:
        _mount(trouble)
    if trouble.nameless:
        _become_nobody()
    os.chdir(str(job["cwd"]))
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it read jobs; a child starts anew
    if trouble.out:  # what wrote to a pipe takes a terminal for one
        sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    sys.argv[1:] = args
    if KILLED_AT in environment:
        kill_at(int(environment[KILLED_AT]))
    _make(trouble)
    try:
        entry()
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(int(end.code or 0))  # at once: tidying up what was imported takes as long as a command


def _make(trouble: Trouble) -> None:
    """Have this process be beset."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if number in trouble.closed:
            os.close(number)
            setattr(sys, name, None)  # as an interpreter does that starts so
    if trouble.clock:
        true_time = time.time
        time.time = lambda: true_time() + trouble.clock
    if trouble.signal:
        sys.setprofile(_after_calls(trouble.at_call, lambda: os.kill(os.getpid(), trouble.signal)))


def _after_calls(number: int, act: Callable[[], None]) -> Callable[..., None]:
    left = number

    def count(_: object, event: str, __: object) -> None:
        nonlocal left
        left -= event == "call"
        if left <= 0:
            sys.setprofile(None)
            act()

    return count


def _become_nobody() -> None:
    user = os.getuid()
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USERS):
        raise OSError(ctypes.get_errno(), "a user namespace is not allowed here")
    Path("/proc/self/uid_map").write_text(f"54321 {user} 1", encoding="ascii")


def _mount(trouble: Trouble) -> None:
    """Put folders on disks that fail, for this process alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) or libc.mount(b"none", b"/", None, _PRIVATE, None):
        raise OSError(ctypes.get_errno(), "mounting takes root")
    if trouble.read_only:
        folder = trouble.read_only.encode()
        libc.mount(folder, folder, None, _BIND, None)
        libc.mount(b"none", folder, None, _BIND | _REMOUNT | _READ_ONLY, None)
    if trouble.full:
        with tempfile.TemporaryDirectory() as held:
            shutil.copytree(trouble.full, held, dirs_exist_ok=True)
            libc.mount(b"tmpfs", trouble.full.encode(), b"tmpfs", 0, b"size=512k,mode=0700")
            shutil.copytree(held, trouble.full, dirs_exist_ok=True)
        with contextlib.suppress(OSError), Path(trouble.full, "rest").open("wb", buffering=0) as rest:
            while True:
                rest.write(bytes(4096))


_NEW_USERS, _NEW_MOUNTS, _PRIVATE, _BIND, _REMOUNT, _READ_ONLY = 0x10000000, 0x20000, 0x44000, 0x1000, 0x20, 0x1
"""Linux's CLONE_NEWUSER, CLONE_NEWNS, MS_REC | MS_PRIVATE, MS_BIND, MS_REMOUNT, MS_RDONLY."""


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

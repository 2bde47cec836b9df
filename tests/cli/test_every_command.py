"""Every command in every surrounding, and with a server that says anything: none hangs, crashes or leaves a half.

The commands are those of the table, so a command that is added later is tried as well. Each is forked with a home of
its own, in which there are two profiles, a kept chat, a Modelfile and a key.
"""

from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from altering_server import altering_server, each_string
from canaries import found, found_below
from every_command import CLOUD, EVERY_COMMAND, LOCAL, command_line, furnish, takes_json
from forking import Forks, Trouble
from mutations import CONTROLS
from stored_credentials import entries
from support import Cli, needs_a_user, needs_mounts

from ollama_cli import DeviceKey
from ollama_cli.chat.kept.archive import Archive

STATUSES = {*range(10), 130, 141}
ROUNDS = int(os.environ.get("HOSTILE_ROUNDS", "1"))
"""How often each command is tried at random; more often, to look for faults by hand."""

HOLDS_A_KEY = re.compile(r"key|exported|(state/data|\.local/share/ollama-cli)/keys/[^/]+")
"""The files of a home that are there for a private key."""

API_KEY = "an-api-key-that-nobody-is-shown"
YEAR = 365 * 24 * 3600
EVIL = "\x1b]52;c;aGFjaw==\x07\x1b[2Jnews\u202e\u2066\x9b31m\r\n"


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@contextmanager
def forks_beside(folder: Path, url: str, env: Mapping[str, str] | None = None) -> Iterator[Forks]:
    """Forks commands that find a server also where a daemon is looked for."""
    folder.mkdir(parents=True, exist_ok=True)
    forks = Forks(folder, moved={11434: port_of(url)}, env=env)
    try:
        yield forks
    finally:
        forks.close()


def secrets(device: Cli) -> dict[str, bytes]:
    """What must not be printed: the middle line of each stored private key, and the API key."""
    keys = {name: text.splitlines()[2].encode() for name, text in entries(device).items()}
    return keys | {"API key": API_KEY.encode()}


def assert_sound(
    done: subprocess.CompletedProcess[str], *, as_json: bool = False, raw: bool = False, ended_by: int = 0
) -> None:
    """Hold what holds for every command everywhere.

    Args:
        done: What came of it.
        as_json: Whether an error is to be one JSON object.
        raw: Whether it prints what a server or a model says as it is, into a pipe.
        ended_by: The signal that it was sent.
    """
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert "that should not" not in said
    assert done.returncode in STATUSES | {128 + ended_by, -ended_by}, said
    if as_json and done.returncode in range(1, 10):
        errors = [json.loads(line)["error"] for line in done.stderr.splitlines() if line.startswith("{")]
        assert [error["status"] for error in errors] == [done.returncode], said
    assert not CONTROLS.search(done.stderr if raw else said)


# Surroundings


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with altering_server(lambda line: line) as url:
        yield url


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory, server: str) -> Iterator[Forks]:
    with forks_beside(tmp_path_factory.mktemp("forks"), server) as forks:
        yield forks


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory, server: str) -> Iterator[Mapping[str, Forks]]:
    """Forks of interpreters that were started with a locale that is not UTF-8's, and with one that there is not."""
    folder = tmp_path_factory.mktemp("locales")
    made = ["localedef", "-i", "tr_TR", "-f", "ISO-8859-9", str(folder / "tr_TR.ISO-8859-9")]
    subprocess.run(made, check=False, capture_output=True)
    turkish = {"LC_ALL": "tr_TR.ISO-8859-9", "LOCPATH": str(folder), "PYTHONUTF8": "0"}
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    with (
        forks_beside(folder / "1", server, turkish) as in_turkish,
        forks_beside(folder / "2", server, ascii_only) as in_ascii,
        forks_beside(folder / "3", server, {"LC_ALL": "xx_YY.NONE"}) as in_none,
    ):
        yield {"tr_TR": in_turkish, "C": in_ascii, "no such locale": in_none}


@dataclass(frozen=True)
class Surroundings:
    """Where a command runs.

    Attributes:
        variables: What stands in its environment; None is unset.
        trouble: What besets it, given its home.
        heard: Whether its stderr can be read.
        options: What stands before the command.
    """

    variables: Mapping[str, str | None] = field(default_factory=dict)
    trouble: Callable[[str], Trouble] = lambda _: Trouble()
    heard: bool = True
    options: tuple[str, ...] = ()


SURROUNDINGS = {
    "closed stdin": Surroundings(trouble=lambda _: Trouble(closed=(0,))),
    "closed streams": Surroundings(trouble=lambda _: Trouble(closed=(0, 1, 2)), heard=False),
    "full output": Surroundings(trouble=lambda _: Trouble(out="/dev/full"), heard=False),
    "full disk": Surroundings(trouble=lambda home: Trouble(full=home)),
    "read-only home": Surroundings(trouble=lambda home: Trouble(read_only=home)),
    "no HOME": Surroundings({"HOME": None, "OLLAMA_CLI_HOME": None}, lambda _: Trouble(nameless=True)),
    "HOME that cannot be made": Surroundings({"HOME": "/proc/nobody", "OLLAMA_CLI_HOME": None}),
    "odd folders": Surroundings({"OLLAMA_CLI_HOME": None, "XDG_DATA_HOME": "~none", "XDG_CACHE_HOME": "\udcff"}),
    "no room for what is temporary": Surroundings({"TMPDIR": "/proc/nobody", "PATH": ""}),
    "tr_TR": Surroundings({"LC_ALL": "tr_TR.ISO-8859-9"}),
    "C": Surroundings({"LC_ALL": "C"}),
    "no such locale": Surroundings({"LC_ALL": "xx_YY.NONE", "LANGUAGE": "\x1b[2J"}),
    "20 columns": Surroundings({"COLUMNS": "20", "LINES": "2"}),
    "no number of columns": Surroundings({"COLUMNS": "\x1b[2J", "LINES": "-1", "TERM": "\x1b[2J"}),
    "huge environment": Surroundings({f"VARIABLE_{number}": "x" * 4000 for number in range(250)}),
    "told in detail": Surroundings({"OLLAMA_API_KEY": API_KEY}, options=("--debug",)),
    "a year early": Surroundings(trouble=lambda _: Trouble(clock=-YEAR)),
    "a year late": Surroundings(trouble=lambda _: Trouble(clock=YEAR)),
    "before there was time": Surroundings(trouble=lambda _: Trouble(clock=-(10**10))),
}
MARKS = {"full disk": needs_mounts, "read-only home": needs_mounts, "no HOME": needs_a_user}


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in SURROUNDINGS])
def test_every_command_ends_well_or_says_why(
    tmp_path: Path, server: str, forks: Forks, locales: Mapping[str, Forks], name: str
) -> None:
    surroundings = SURROUNDINGS[name]
    for number, command in enumerate(EVERY_COMMAND):
        home = tmp_path / str(number)
        home.mkdir()
        device = furnish(Cli(home, {"OLLAMA_CLOUD_BASE_URL": server}), server)
        hidden = secrets(device)
        changed = {**device.environment, **surroundings.variables}
        environment = {variable: text for variable, text in changed.items() if text is not None}
        args = [*surroundings.options, *command_line(command, as_json=True)]
        done = locales.get(name, forks)(*args, env=environment, cwd=home, trouble=surroundings.trouble(str(home)))
        assert_sound(done, as_json=takes_json(command) and surroundings.heard)
        assert not found(hidden, (done.stdout + done.stderr).encode())
        assert not {path for _, path in found_below(hidden, home) if not HOLDS_A_KEY.fullmatch(path)}
        assert_nothing_is_half_written(device)


def assert_nothing_is_half_written(device: Cli) -> None:
    """Whatever is kept can be read: the list, the keys, the chats; and nothing else lies about."""
    data = device.home / "state" / "data"
    json.loads((data / "credentials.json").read_text())
    for text in entries(device).values():
        DeviceKey.from_openssh(text)
    Archive(data / "chats.sqlite3").chats()
    names = {path.name for path in device.home.rglob("*") if path.is_file() and path.parent.name != "keys"}
    assert names <= {
        "Modelfile",
        "key",
        "exported",
        "chats.sqlite3",
        "chats.sqlite3-shm",
        "chats.sqlite3-wal",
        "credentials.json",
        "credentials.lock",
        "models.json",
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_at_any_moment_leaves_nothing_half_done(
    tmp_path: Path, server: str, forks: Forks, number: signal.Signals
) -> None:
    moments = random.Random(number)  # noqa: S311 - the same moments each time
    for position, command in enumerate(EVERY_COMMAND * ROUNDS):
        home = tmp_path / str(position)
        home.mkdir()
        device = furnish(Cli(home, {"OLLAMA_CLOUD_BASE_URL": server}), server)
        trouble = Trouble(signal=number, at_call=int(10 ** moments.uniform(0.5, 4.5)))
        done = forks(*command_line(command, as_json=True), env=device.environment, cwd=home, trouble=trouble)
        assert_sound(done, as_json=takes_json(command), ended_by=number)
        assert_nothing_is_half_written(device)


# What a server says

ASKING = [
    *([*command_line(command)] for command in EVERY_COMMAND if not command.startswith(("chats", "sandbox", "profile"))),
    ["run", LOCAL, "hi", "--think", "--verbose"],
    ["run", CLOUD, "hi", "--markdown"],
    ["show", LOCAL, "--verbose"],
    ["show", LOCAL, "--parameters"],
    ["list", "--cloud"],
    ["fetch", "https://example.com", "--links"],
    ["doctor"],
]


@pytest.mark.parametrize("status", [200, 400, 401])
def test_no_sequence_of_a_server_reaches_a_terminal_of_20_columns(tmp_path: Path, status: int) -> None:
    with (
        altering_server(each_string(lambda text: f"{text}{EVIL}"), status=status, said="\x1b[2J\x9b31m") as url,
        forks_beside(tmp_path / "forks", url) as forks,
        narrow_terminal() as (path, shown),
    ):
        for number, args in enumerate(ASKING):
            home = tmp_path / str(number)
            home.mkdir()
            device = furnish(Cli(home, {"OLLAMA_CLOUD_BASE_URL": url, "TERM": "xterm-256color"}), url)
            piped = forks(*args, env=device.environment, cwd=home)
            done = forks(*args, "--profile", "work", env=device.environment, cwd=home, trouble=Trouble(out=path))
            assert_sound(piped, raw=args[0] in {"api", "run", "fetch", "show"})
            assert_sound(done)
    text = shown()
    assert "Traceback" not in text
    assert "that should not" not in text
    assert "news" in text
    for forbidden in ("\x1b]52", "\x1b[2Jnews", "\u202e", "\u2066", "\x9b", "\x07"):
        assert forbidden not in text


@contextmanager
def narrow_terminal() -> Iterator[tuple[str, Callable[[], str]]]:
    """A terminal of 20 columns; gives its path, and what was written to it."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    written: list[bytes] = []

    def read() -> None:
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # nobody has it open any more
                return
            written.append(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()

    def all_of_it() -> str:
        os.close(theirs)
        reader.join()
        os.close(ours)
        return b"".join(written).decode("utf-8", "replace")

    yield os.ttyname(theirs), all_of_it


ODD: list[Any] = [
    *(None, True, [], {}, "", -1, 0, 10**400, 1e308, float("nan"), float("inf"), 2**63, "1e999", [None], [[[]]]),
    *("\ud800", "\0", EVIL, "x" * 100_000, "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", {"name": None}),
    *({"a": {"b": [1]}}, "\U0001f468\u200d\U0001f469" * 50, "\u2028"),
]


def mutation(seed: str) -> Callable[[Any], Any]:
    """Puts what nobody expects in the places of some values, and leaves some out."""
    moments = random.Random(seed)  # noqa: S311 - the same each time

    def changed(value: Any, share: float) -> Any:
        if moments.random() < share:
            return moments.choice(ODD)
        if isinstance(value, dict):
            kept = {name: changed(item, share) for name, item in value.items() if moments.random() > share / 2}
            added = {moments.choice(["error", "message", "status", "signin_url", EVIL]): moments.choice(ODD)}
            return kept | (added if moments.random() < share else {})
        return [changed(item, share) for item in value] if isinstance(value, list) else value

    return lambda line: changed(line, moments.choice([0.05, 0.2, 0.4]))


@pytest.mark.parametrize("status", [200, 400])
def test_whatever_a_server_says_ends_in_a_status_of_ours(tmp_path: Path, status: int) -> None:
    with altering_server(mutation(str(status)), status=status) as url, forks_beside(tmp_path / "forks", url) as forks:
        device = furnish(Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": url, "OLLAMA_API_KEY": API_KEY}), url)
        for _ in range(ROUNDS):
            for args in ASKING:
                (tmp_path / "exported").unlink(missing_ok=True)
                done = forks(*args, env=device.environment, cwd=tmp_path)
                assert_sound(done, raw=args[0] in {"api", "run", "fetch", "show"})
                assert not found({"API key": API_KEY.encode()}, (done.stdout + done.stderr).encode())


@pytest.mark.parametrize("size", [10**400, -(10**400), 2**70, 1e300])
def test_a_number_out_of_all_bounds_is_no_fault(tmp_path: Path, size: float) -> None:
    def sized(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: sized(item) for name, item in value.items()}
        if isinstance(value, list):
            return [sized(item) for item in value]
        return size if type(value) is int else value

    with altering_server(sized) as url, forks_beside(tmp_path / "forks", url) as forks:
        device = furnish(Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": url}), url)
        for args in (["list"], ["list", "--cloud"], ["ps"], ["show", LOCAL, "--verbose"], ["pull", LOCAL]):
            assert_sound(forks(*args, env=device.environment, cwd=tmp_path))
        for args in (["run", LOCAL, "hi", "--verbose"], ["list", "--json"], ["show", LOCAL, "--json"]):
            assert_sound(forks(*args, env=device.environment, cwd=tmp_path))

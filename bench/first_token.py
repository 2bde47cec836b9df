"""From the start of a process to the first byte of an answer from afar: ``bench/first_token.py [ROUNDS [MS …]]``.

ollama.com is a stand-in on this machine, over TLS, at 0, 50 and 150 milliseconds a round trip, or as given. Peers run
beside ours, in turn: curl with an API key, the bare request; and the reference's client through a daemon of its
own, whose connection to the cloud is cold, where it is on PATH or ``OLLAMA_BENCH_PEER`` names its program.
"""

from __future__ import annotations

import compileall
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from startup import BARE, COMMAND, MODEL, Case, clean_environment, measure, peer, show

import ollama_cli
from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.credentials.public_key import is_public_key
from ollama_cli.settings import Settings

ROUNDS = 10
ROUND_TRIPS = (0, 50, 150)


class Far:
    """The stand-in, in a process of its own.

    Args:
        folder: Where it keeps its account.
        milliseconds: A round trip to it.
    """

    def __init__(self, folder: Path, milliseconds: int) -> None:
        script = Path(__file__).with_name("distant.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(folder), str(milliseconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment() | {"HOME": str(folder)},
            text=True,
        )
        told = json.loads(self._read())
        self.url, self.authority, self.api_key = told["url"], told["authority"], told["api_key"]

    def approve(self, public_key: str) -> None:
        """Put a key on the account."""
        assert is_public_key(public_key), public_key
        assert self._process.stdin is not None
        self._process.stdin.write(f"{public_key}\n")
        self._process.stdin.flush()
        assert self._read() == "approved\n"

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    @property
    def environment(self) -> dict[str, str]:
        """What leads a program there."""
        return {"OLLAMA_CLOUD_BASE_URL": self.url, "SSL_CERT_FILE": self.authority}


class ColdDaemon(Case):
    """The reference's client, before each start of which its daemon is started anew."""

    def time(self) -> float:
        """Start the daemon, wait until it answers, and then time the client."""
        with _daemon(self.arguments[0], self.environment):
            return super().time()


@contextmanager
def _daemon(program: str, environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [program, "serve"],
        env=clean_environment() | dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(400):
            try:
                with urllib.request.urlopen(f"{environment['OLLAMA_HOST']}/api/version", timeout=5):  # noqa: S310
                    break
            except OSError:
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def reference(program: str, far: Far, home: Path) -> Case:
    """The reference's client and daemon, with a key of their own on the account."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = far.environment | {"HOME": str(home), "OLLAMA_HOST": f"http://127.0.0.1:{port}"}
    with _daemon(program, environment):
        key = (home / ".ollama" / "id_ed25519.pub").read_text(encoding="utf-8").strip()
    far.approve(" ".join(key.split()[:2]))
    return ColdDaemon("the reference, daemon cold", [program, "run", MODEL, "hi"], environment, first_byte=True)


def cases(far: Far, home: Path, curl: str | None, ollama: str | None) -> list[Case]:
    """Everything that is measured at one distance."""
    ours = far.environment | {"HOME": str(home), "OLLAMA_CLI_HOME": str(home / "ours")}
    wallet = open_wallet(Settings(home_override=home / "ours"), new_store="file")
    far.approve(wallet.ensure(far.url).credential.public_key)
    made = [
        Case(BARE, [sys.executable, "-c", "pass"]),
        Case("ollama-cli run", [COMMAND, "run", MODEL, "hi"], ours, first_byte=True),
        Case("ollama-cli run, to its end", [COMMAND, "run", MODEL, "hi"], ours),
    ]
    if curl is not None:
        body = json.dumps({"model": MODEL.removesuffix("-cloud"), "prompt": "hi"})
        config = home / "curl"
        config.write_text(f'header = "Authorization: Bearer {far.api_key}"\n', encoding="utf-8")
        asked = [curl, "-sN", "--cacert", far.authority, "-K", str(config), f"{far.url}/api/generate", "-d", body]
        made += [Case("curl", asked, first_byte=True), Case("curl, to its end", asked)]
    if ollama is not None:
        made.append(reference(ollama, far, home))
    return made


def main(rounds: int, round_trips: Sequence[int]) -> None:
    """Measure and print."""
    package = ollama_cli.__file__
    assert package is not None
    compileall.compile_dir(Path(package).parent, quiet=1)
    curl, ollama = peer("curl"), peer("ollama")
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {rounds} rounds, interleaved")
    for milliseconds in round_trips:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            home = Path(folder)
            far = Far(home, milliseconds)
            stack.callback(far.close)
            at_distance = cases(far, home, curl, ollama)
            measure(at_distance, rounds)
        print(f"\n{milliseconds} ms a round trip")
        show(at_distance)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(given[0] if given else ROUNDS, given[1:] or ROUND_TRIPS)

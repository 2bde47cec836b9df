"""What a long answer costs that comes as fast as it can: ``python bench/stream.py [ROUNDS [CHUNKS]]``.

Each program asks a server in a process of its own for 50,000 chunks, and ours for twenty times as many too, and writes
the answer to a pipe. Time, CPU and the peak of memory are the operating system's own figures of the finished process.
Peers run beside ours, in turn, where they are on PATH or named: the reference's client (``OLLAMA_BENCH_PEER``), llm
(``LLM_BENCH_PEER``), and curl, which only copies.
"""

from __future__ import annotations

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from startup import COMMAND, clean_environment, peer

import ollama_cli

ROUNDS = 5
CHUNKS = 50_000
TIMES_AS_MANY = 20
MODEL = "a-model"
_LINE = b'{"model":"a-model","created_at":"2026-11-01T10:00:00.000000Z","response":" word%d","done":false}\n'
_LAST = b'{"model":"a-model","response":"","done":true,"done_reason":"stop","eval_count":1,"eval_duration":1}\n'
_SSE = (
    b'data: {"id":"1","object":"chat.completion.chunk","model":"a-model",'
    b'"choices":[{"index":0,"delta":{"content":" word%d"}}]}\n\n'
)
_TOGETHER = 64


class Handler(BaseHTTPRequestHandler):
    """Answers with as many chunks as the path before ``/api`` or ``/v1`` names, each a chunk of HTTP too."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has
        """Say nothing."""

    def do_HEAD(self) -> None:
        """The reference's client asks first whether somebody is there."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer a question."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        number, _, path = self.path.lstrip("/").partition("/")
        if path.startswith("api/show"):
            self._answer(b'{"capabilities":["completion"],"details":{}}')
        elif path.startswith("v1/"):
            self._stream(_SSE, int(number), b"data: [DONE]\n\n", "text/event-stream")
        else:
            self._stream(_LINE, int(number), _LAST, "application/x-ndjson")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, line: bytes, number: int, last: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, number, _TOGETHER):
            lines = [line % count for count in range(start, min(start + _TOGETHER, number))]
            self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in lines))
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(last), last))


def serve() -> None:
    """Say at which port, and answer until the standard input ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


@dataclass
class Case:
    """A program that asks.

    Attributes:
        name: What the table calls it.
        chunks: How many pieces its answer has.
        arguments: Its command line.
        environment: What it adds to a clean environment.
        seconds: Its time, in each round.
        cpu: Its CPU time in seconds, in each round.
        megabytes: The peak of its memory in megabytes, in each round.
    """

    name: str
    chunks: int
    arguments: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run it to its end, and take what the system counted."""
        script = str(Path(__file__).with_name("measured.py"))
        done = subprocess.run(
            [sys.executable, "-IS", script, *self.arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=clean_environment() | dict(self.environment),
            text=True,
            check=True,
        )
        counted = json.loads(done.stdout)
        assert counted["status"] == 0, f"{self.name}: status {counted['status']}: {done.stderr}"
        assert counted["bytes"] > self.chunks * 5, f"{self.name}: {counted['bytes']} bytes only"
        self.seconds.append(counted["seconds"])
        self.cpu.append(counted["cpu"])
        self.megabytes.append(counted["megabytes"])


def cases(url: str, home: Path, chunks: int) -> list[Case]:
    """Every program that is there."""
    common = {"HOME": str(home)}
    made: list[Case] = []

    def add(name: str, number: int, arguments: list[str], **environment: str) -> None:
        made.append(Case(name, number, arguments, common | environment))

    def ours(name: str, number: int) -> None:
        add(
            name,
            number,
            [COMMAND, "run", MODEL, "hi"],
            OLLAMA_HOST=f"{url}/{number}",
            OLLAMA_CLI_HOME=str(home / "ours"),
        )

    ours("ollama-cli run", chunks)
    ours(f"the same, {TIMES_AS_MANY} times as many", chunks * TIMES_AS_MANY)
    if (reference := peer("ollama")) is not None:
        add("the reference", chunks, [reference, "run", MODEL, "hi"], OLLAMA_HOST=f"{url}/{chunks}")
    if (llm := peer("llm")) is not None:
        settings = home / "llm"
        settings.mkdir()
        (settings / "extra-openai-models.yaml").write_text(
            f"- model_id: {MODEL}\n  model_name: {MODEL}\n  api_base: {url}/{chunks}/v1\n", encoding="utf-8"
        )
        add("llm", chunks, [llm, "-m", MODEL, "--no-log", "hi"], LLM_USER_PATH=str(settings), OPENAI_API_KEY="none")
    if (curl := peer("curl")) is not None:
        add("curl", chunks, [curl, "-sN", f"{url}/{chunks}/api/generate", "-d", "{}"])
    return made


def main(rounds: int, chunks: int) -> None:
    """Measure and print."""
    package = ollama_cli.__file__
    assert package is not None
    compileall.compile_dir(Path(package).parent, quiet=1)
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            programs = cases(url, Path(folder), chunks)
            for program in programs:
                program.run()  # not counted: it warms the caches
                for figures in (program.seconds, program.cpu, program.megabytes):
                    figures.clear()
            for _ in range(rounds):
                for program in programs:
                    program.run()
    finally:
        server.communicate()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {rounds} rounds, interleaved; {chunks} chunks")
    print(f"{'program':<34} {'min s':>7} {'median s':>9} {'min CPU s':>10} {'median CPU s':>13} {'peak MB':>8}")
    for program in programs:
        print(
            f"{program.name:<34} {min(program.seconds):>7.2f} {statistics.median(program.seconds):>9.2f} "
            f"{min(program.cpu):>10.2f} {statistics.median(program.cpu):>13.2f} {max(program.megabytes):>8.1f}"
        )


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS, int(sys.argv[2]) if len(sys.argv) > 2 else CHUNKS)

"""What a streamed chunk costs on its way through ``serve``, beside nginx as a plain reverse proxy.

``python bench/serve.py [SECONDS [STREAMS [CHUNKS_A_SECOND]]]``: 60, 200 and 10 if not given. A server in a process of
its own sends every chunk with the moment at which it does, which the reader compares with the moment of its arrival.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.settings import Settings

COMMAND = str(Path(sys.executable).with_name("ollama-cli"))
TICK = os.sysconf("SC_CLK_TCK")
SETTLED = 10.0
"""Seconds after which memory is looked at for the first time."""

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream cloud {{ server 127.0.0.1:{cloud}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://cloud; proxy_http_version 1.1; proxy_buffering off; proxy_set_header Connection "";
    }}
  }}
}}
"""


@dataclass
class Measured:
    """What one way was like."""

    delays: list[float] = field(default_factory=list)
    cpu: float = 0.0
    early: float = 0.0
    late: float = 0.0


async def send_streams(port: int, pause: float) -> None:
    """The server: each stream a chunk every so often, with its name, number and moment."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
        body = json.loads(await reader.readexactly(length) or b"{}")
        if "prompt" not in body:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        end = time.monotonic() + body["seconds"]
        number = 0
        await asyncio.sleep(body["offset"])
        while time.monotonic() < end:
            line = b'{"name":%d,"number":%d,"at":%d,"response":" a word of an answer","done":false}\n'
            line %= (body["prompt"], number, time.monotonic_ns())
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            number += 1
            await asyncio.sleep(pause)
        writer.write(b"0\r\n\r\n")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


async def read_stream(port: int, name: int, seconds: float, offset: float, into: Measured) -> None:
    """The reader of one stream; a chunk of another stream, or out of order, is an error."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"model": "bench:cloud", "prompt": name, "seconds": seconds, "offset": offset}).encode()
    head = b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    writer.write(head + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in answer, answer
    number = 0
    while size := int(await reader.readline(), 16):
        data = (await reader.readexactly(size + 2))[:-2]
        now = time.monotonic_ns()
        for line in data.splitlines():
            content = json.loads(line)
            assert (content["name"], content["number"]) == (name, number), content
            into.delays.append((now - content["at"]) / 1e6)
            number += 1
    writer.close()


def cpu_of(pids: list[int]) -> float:
    """Seconds of CPU that processes have had."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory_of(pids: list[int]) -> float:
    """Megabytes that they hold."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *map(int, children)]


def measure(port: int, pid: int | None, seconds: float, streams: int, pause: float) -> Measured:
    """Read all streams at once by one way."""
    measured = Measured()

    async def main() -> None:
        pids = family(pid) if pid else []
        reading = [read_stream(port, name, seconds, pause * name / streams, measured) for name in range(streams)]
        tasks = [asyncio.create_task(one) for one in reading]
        before = cpu_of(pids)
        await asyncio.sleep(min(SETTLED, seconds / 2))
        measured.early = memory_of(pids)
        await asyncio.sleep(max(0.0, seconds - min(SETTLED, seconds / 2) - 1))
        measured.late = memory_of(pids)
        await asyncio.gather(*tasks)
        measured.cpu = cpu_of(pids) - before

    asyncio.run(main())
    return measured


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[int]:
    """A server, once it takes connections."""
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while True:
            assert process.poll() is None, command
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                break
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def main(seconds: float, streams: int, rate: float) -> None:
    """Measure each way, one after the other, and print a table."""
    pause, cloud = 1 / rate, free_port()
    ways: dict[str, Measured] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        started([sys.executable, __file__, "--cloud", str(cloud), str(pause)], cloud),
    ):
        folder = Path(name)
        ways["directly"] = measure(cloud, None, seconds, streams, pause)
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if nginx is None:
            print("nginx is not installed: it is left out.")
        else:
            port = free_port()
            (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, cloud=cloud), encoding="utf-8")
            with started([nginx, "-p", name, "-c", str(folder / "nginx.conf")], port) as pid:
                ways["nginx"] = measure(port, pid, seconds, streams, pause)
        home = {"HOME": name, "OLLAMA_CLI_HOME": f"{name}/state", "OLLAMA_CLOUD_BASE_URL": f"http://127.0.0.1:{cloud}"}
        open_wallet(Settings(home_override=folder / "state"), new_store="file").ensure(f"http://127.0.0.1:{cloud}")
        port = free_port()
        with started([COMMAND, "serve", "--port", str(port)], port, {"PATH": os.environ["PATH"], **home}) as pid:
            ways["ollama-cli serve"] = measure(port, pid, seconds, streams, pause)
    show(ways, seconds, streams, rate)


def show(ways: dict[str, Measured], seconds: float, streams: int, rate: float) -> None:
    """The table."""
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Python {version}, {os.cpu_count()} cores; {streams} streams, {rate:g} chunks a second each, {seconds:g} s")
    names = ("chunks", "median ms", "99 % ms", "added ms", "CPU us a chunk", "MB", "MB later")
    print(" " * 18 + "".join(f"{name:>{len(name) + 2}}" for name in names))
    direct = statistics.median(ways["directly"].delays)
    for way, measured in ways.items():
        median, high = statistics.median(measured.delays), statistics.quantiles(measured.delays, n=100)[98]
        row = f"{way:18}{len(measured.delays):8}{median:11.2f}{high:9.2f}"
        if way != "directly":
            row += f"{median - direct:10.2f}{measured.cpu / len(measured.delays) * 1e6:16.0f}"
            row += f"{measured.early:4.0f}{measured.late:10.0f}"
        print(row)


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["--cloud"]:
        asyncio.run(send_streams(int(given[1]), float(given[2])))
    else:
        numbers = [*map(float, given), *(60, 200, 10)[len(given) :]]
        main(numbers[0], int(numbers[1]), numbers[2])

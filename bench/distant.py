"""A stand-in for ollama.com that is far away: a sandbox behind TLS, and a way to it that takes its time.

A process of its own, so that it does not take turns with what is measured: ``python bench/distant.py FOLDER
MILLISECONDS`` prints a line of JSON (``url``, ``authority``, ``api_key``), puts each public key that it reads on the
account, and ends with its standard input. Each connection costs a round trip before its first byte, as TCP's handshake
does, and every byte half a one; TLS costs its own in addition, by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from ollama_cli.sandbox.server import EmbeddedSandbox

_Waiting = asyncio.Queue[tuple[float, bytes]]


async def _deliver(waiting: _Waiting, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, data = await waiting.get()
        await asyncio.sleep(due - loop.time())
        if not data:
            writer.close()
            return
        writer.write(data)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, begins: float) -> None:
    """Pass bytes on after some time, and none that was sent before the connection stood."""
    loop = asyncio.get_running_loop()
    waiting: _Waiting = asyncio.Queue()
    delivery = asyncio.create_task(_deliver(waiting, writer))
    with suppress(OSError):
        while True:
            data = await reader.read(65536)
            waiting.put_nowait((max(loop.time(), begins) + seconds, data))
            if not data:
                break
        await delivery


async def _joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, round_trip: float) -> None:
    begins = asyncio.get_running_loop().time() + round_trip
    with suppress(OSError):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            _pass_on(reader, inner_writer, round_trip / 2, begins), _pass_on(inner_reader, writer, round_trip / 2, 0)
        )


async def serve(sandbox: EmbeddedSandbox, tls: ssl.SSLContext, authority: Path, round_trip: float) -> None:
    """Serve until the standard input ends."""
    held = set()  # asyncio itself holds a task only as long as something else does

    async def near(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(asyncio.current_task())
        await _joined(reader, writer, urlsplit(sandbox.url).port or 0, 0)

    server = await asyncio.start_server(near, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]

    async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(asyncio.current_task())
        await _joined(reader, writer, port, round_trip)

    way = await asyncio.start_server(far, "127.0.0.1", 0)
    url = f"https://localhost:{way.sockets[0].getsockname()[1]}"
    told = {"url": url, "authority": str(authority), "api_key": sandbox.make_api_key().reveal()}
    print(json.dumps(told), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        sandbox.approve(line.strip(), "a device")
        print("approved", flush=True)
    os._exit(0)  # whatever is still open has nobody left at its other end


def main(folder: Path, milliseconds: float) -> None:
    """Make the authority and the sandbox, and serve."""
    authority = trustme.CA()
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    with EmbeddedSandbox(folder / "sandbox", pace=0) as sandbox:
        asyncio.run(serve(sandbox, tls, file, milliseconds / 1000))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))

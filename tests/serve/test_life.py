"""How it begins, what it says, what it bears, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from scripted_server import DONE, ScriptedServer, Seen, chunk, everything, head, plain
from serve_process import MODEL, Serve, serve_process
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from support import Cli

from ollama_cli.errors import UsageError
from ollama_cli.serve import bodies, connections
from ollama_cli.serve import serving as serving_module
from ollama_cli.serve.bodies import pieces
from ollama_cli.serve.gateway import Gateway
from ollama_cli.serve.holder import who_holds
from ollama_cli.serve.listening import is_for_this_machine, listen_at, listen_in, url_of
from ollama_cli.serve.refusals import RefusedError
from ollama_cli.serve.server import _tell_of_fault
from ollama_cli.serve.servers import Onward, Server
from ollama_cli.serve.serving import serve_until
from ollama_cli.transport.limits import Limits

QUESTION = json.dumps({"model": MODEL, "prompt": "a secret question"}).encode()


def ask(serve: Serve, path: str = "/api/generate") -> socket.socket:
    connection = serve.connect()
    connection.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\n" % path.encode())
    connection.sendall(b"Content-Length: %d\r\n\r\n" % len(QUESTION) + QUESTION)
    return connection


def refuses_connections(serve: Serve) -> None:
    """Return once no new connection is taken: refused, or reset where the listener closed just then."""
    with suppress(ConnectionRefusedError, ConnectionResetError):
        while True:
            serve.connect().close()


def test_a_port_in_use_is_named_with_its_holder(cli: Cli, gateway: Serve) -> None:
    port = gateway.url.rpartition(":")[2]
    done = cli("serve", "--port", port)
    assert done.returncode == 2
    assert f"at port {port}: it is in use by ollama-cli (process {gateway.process.pid})." in done.stderr
    assert f"--daemon http://127.0.0.1:{port}" in done.stderr
    error = json.loads(cli("serve", "--port", port, "--json").stderr)["error"]
    assert error["code"] == "port_unavailable"


@pytest.mark.skipif(sys.platform == "win32", reason="sockets in the file system")
def test_of_two_servers_that_start_at_a_socket_left_behind_one_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    path, unlink, lock = tmp_path / "socket", Path.unlink, fcntl.flock
    ended_or_waits, others = threading.Event(), ThreadPoolExecutor(1)
    late: list[Path] = []
    other: list[Future[socket.socket]] = []

    def unlink_late(self: Path) -> None:
        if not late:
            late.append(self)
            other.append(others.submit(listen_in, path))
            other[0].add_done_callback(lambda _: ended_or_waits.set())
            assert ended_or_waits.wait(60)
        unlink(self)

    def lock_or_say(descriptor: int, how: int) -> None:
        try:
            lock(descriptor, how)
        except BlockingIOError:
            ended_or_waits.set()
            raise

    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    monkeypatch.setattr(Path, "unlink", unlink_late)
    monkeypatch.setattr(fcntl, "flock", lock_or_say)
    with others, listen_in(path) as listener:
        with pytest.raises(UsageError, match="answers at"):
            other[0].result().close()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            listener.accept()[0].close()


def test_a_holder_that_is_somebody_elses_is_told_by_its_user(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    line = (
        "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  4242        0 77 1 0 100 0 0 10 0"
    )
    (tmp_path / "net" / "tcp").write_text(f"  sl  local_address\n{line}\n", encoding="ascii")
    assert who_holds("127.0.0.1", 11434, tmp_path) == "a program of the user 4242"
    assert who_holds("127.0.0.1", 11435, tmp_path) == ""
    assert who_holds("127.0.0.1", 11434, tmp_path / "nowhere") == ""


@pytest.mark.parametrize(
    "options",
    [
        ("--host", "192.0.2.1"),
        ("--host", "no such name"),
        ("--socket", "/tmp/x", "--port", "1"),
        ("--socket", "/tmp/x", "--allow-host", "gateway.example"),
        ("--allow-host", "http://x"),
        ("--allow-host", "*"),
        ("--token-file", "/nowhere/token"),
        ("--socket", "/nowhere/socket"),
        ("--socket", "/tmp/" + "x" * 200),
        ("--port", "99999"),
    ],
)
def test_what_cannot_be_is_a_mistake(cli: Cli, options: tuple[str, ...]) -> None:
    done = cli("serve", *options)
    assert (done.returncode, done.stdout) == (2, "")


def test_it_says_where_it_listens_and_nothing_of_what_is_asked(device: Cli, cloud: ScriptedServer) -> None:
    cloud.answers(plain(b'{"response":"a secret answer","done":true}\n'))
    with serve_process(device, before=("--debug",)) as serve:
        serve.hears(rf"Listening at {serve.url}\n")
        with serve.client() as client:
            client.post("/api/generate?q=a-secret-query", content=QUESTION)
            client.post("/api/chat", content=QUESTION[:-1])
            client.get("/%1b]0;title%07/\x9b31m")
        serve.hears(r"POST /api/generate 200 \d")
        serve.hears(r"POST /api/chat 400 \d")
        serve.hears(r"GET // 404 \d")
    assert "secret" not in serve.text
    assert not {"\x1b", "\x07", "\x9b"} & set(serve.text)


TOLD = {
    "/api/chat": ("application/x-ndjson", b'\n{"error": "ollama-cli serve is being stopped"}\n'),
    "/v1/chat/completions": ("text/event-stream", b'\ndata: {"error": {"message": "ollama-cli serve is being'),
    "/v1/messages": ("text/event-stream; charset=utf-8", b'\nevent: error\ndata: {"type": "error", "error": {'),
    "/api/show": ("application/json", b""),
}
"""What a stream is told when the server ends, in the form that its readers look for."""


def test_streams_are_told_of_the_end_and_waited_for_no_longer(device: Cli, cloud: ScriptedServer) -> None:
    left = threading.Semaphore(0)

    def script(seen: Seen, connection: socket.socket) -> None:
        if seen.path in TOLD:
            connection.sendall(head(TOLD[seen.path][0]) + chunk(b'{"half a lin'))
            assert connection.recv(1) == b""
            left.release()

    cloud.script = script
    with serve_process(device) as serve, serve.client() as idle:
        streams = {path: ask(serve, path) for path in TOLD}
        for connection in streams.values():
            while b"half a lin" not in connection.recv(65536):
                pass
        idle.get("/")
        serve.process.send_signal(signal.SIGTERM)
        for path, connection in streams.items():
            rest = everything(connection)
            assert TOLD[path][1] in rest
            assert not rest.endswith(b"0\r\n\r\n")  # it is not complete
            assert left.acquire(timeout=30)
            connection.close()
        assert serve.process.wait(30) == 0


def test_an_answer_that_ends_in_time_is_complete_and_one_that_has_not_begun_is_told(
    device: Cli, cloud: ScriptedServer
) -> None:
    asked, goes_on = threading.Semaphore(0), threading.Event()

    def script(seen: Seen, connection: socket.socket) -> None:
        if seen.path == "/api/chat":
            connection.sendall(head() + chunk(b"{}\n"))
            asked.release()
            assert goes_on.wait(30)
            connection.sendall(chunk(DONE) + chunk(b""))
        elif seen.path == "/api/generate":
            asked.release()
            connection.recv(1)

    cloud.script = script
    with serve_process(device) as serve:
        ending, waiting = ask(serve, "/api/chat"), ask(serve)
        for _ in range(2):
            assert asked.acquire(timeout=30)
        serve.process.send_signal(signal.SIGINT)
        refuses_connections(serve)
        goes_on.set()
        assert everything(ending).endswith(b"0\r\n\r\n")
        answer = everything(waiting)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"being stopped" in answer
        assert serve.process.wait(30) == 0
        ending.close()
        waiting.close()


def test_connections_beyond_the_limit_are_told_to_come_back(gateway: Serve) -> None:
    with ExitStack() as stack:
        answer = b""
        for _ in range(connections.MOST_CONNECTIONS + 1):
            last = stack.enter_context(gateway.connect())
        answer = everything(last)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    while not gateway.raw(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200 "):
        pass  # once those are gone there is room again


# What a client may do by doing nothing, in this process and in less time


@contextmanager
def running(app: Callable[[Scope, Receive, Send], object], stops: int = 1) -> Iterator[tuple[str, int]]:
    """Serve an app in a thread; at the end it is told to stop so many times."""
    listener = socket.create_server(("127.0.0.1", 0))
    ready, holder = threading.Event(), []

    async def main() -> None:
        stop: asyncio.Event = asyncio.Event()
        stopping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        holder.append((asyncio.get_running_loop(), stop))
        await serve_until(stop, app, listener, stopping, ready.set)  # type: ignore[arg-type]

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(30)
    try:
        yield listener.getsockname()
    finally:
        loop, stop = holder[0]
        for _ in range(stops):
            loop.call_soon_threadsafe(stop.set)
            while stop.is_set() and thread.is_alive():  # each is noticed before the next
                time.sleep(0.01)
        thread.join(30)
        assert not thread.is_alive()
        listener.close()


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that reads its request."""
    size = 0
    try:
        async for piece in pieces(receive):
            size += len(piece)
        await PlainTextResponse(f"{size}")(scope, receive, send)
    except RefusedError as refused:
        await PlainTextResponse(refused.message, refused.status, refused.headers)(scope, receive, send)


REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"


@pytest.mark.parametrize(
    "before",
    [b"", b"POST / HTTP/1.1\r\nHost:", REQUEST + b"abc" + b"POST"],
    ids=["silent", "half a head", "a second one"],
)
def test_a_head_has_to_come_in_time(monkeypatch: pytest.MonkeyPatch, before: bytes) -> None:
    monkeypatch.setattr(connections, "SECONDS_FOR_A_HEAD", 0.5)
    with running(reading) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(before)
        closed = threading.Event()

        def drip() -> None:
            while before and not closed.wait(0.1):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        everything(connection)
        closed.set()
        dripping.join()


def test_a_body_has_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS_FOR_A_PIECE", 0.2)
    with running(reading) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(REQUEST + b"a")
        assert everything(connection).startswith(b"HTTP/1.1 408 ")


def test_a_connection_on_which_nothing_more_is_asked_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_module, "SECONDS_TO_STAY", 0.2)
    with running(reading) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(REQUEST + b"abc")
        assert everything(connection).endswith(b"\r\n\r\n3")


def test_a_cloud_that_says_nothing_more_is_left(cloud: ScriptedServer) -> None:
    def script(_: Seen, connection: socket.socket) -> None:
        connection.sendall(head() + chunk(b"half"))
        connection.recv(1)

    async def ask() -> bytes:
        server = Server(cloud.url)
        response = await server.open(Onward("GET", "/", limits=Limits(connect=9, first_byte=99, idle=0.2)))
        parts = response.aiter_raw()
        first = await anext(parts)
        with pytest.raises(httpx.ReadTimeout):
            await anext(parts)
        await server.close()
        return first

    cloud.script = script
    assert asyncio.run(ask()) == b"half"


def test_a_client_that_takes_nothing_of_its_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SECONDS_TO_READ", 0.5)
    ended = threading.Event()

    async def endless(_: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.ensure_future(receive())  # the request
        while not (gone.done() and gone.result()["type"] == "http.disconnect"):
            if gone.done():
                gone = asyncio.ensure_future(receive())
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            await asyncio.sleep(0)
        ended.set()

    with running(endless) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ended.wait(30)


def test_a_client_that_reads_on_after_a_pause_has_all_and_is_not_left_later(monkeypatch: pytest.MonkeyPatch) -> None:
    paused, size = threading.Event(), 200 * 65536
    timers: list[asyncio.TimerHandle] = []

    class Watched(connections.Connection):
        def pause_writing(self) -> None:
            super().pause_writing()
            assert self._read_timer is not None
            timers.append(self._read_timer)
            paused.set()

    async def long(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        for _piece in range(200):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    monkeypatch.setattr(connections, "Connection", Watched)
    with running(long) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        assert paused.wait(30)
        assert everything(connection).count(b"x") == size
        assert all(timer.cancelled() for timer in timers)


def test_a_connection_that_breaks_is_no_fault_of_ours() -> None:
    told: list[str] = []
    _tell_of_fault(told.append, {"message": "x", "exception": ConnectionResetError()})
    _tell_of_fault(told.append, {"message": "x", "exception": ValueError("a secret")})
    _tell_of_fault(told.append, {"message": "a task was destroyed"})
    assert told == ["A fault within ollama-cli: ValueError.", "A fault within ollama-cli: a task was destroyed."]


@pytest.mark.timeout(20)
def test_a_socket_whose_server_takes_nobody_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with ExitStack() as stack:
        hung = stack.enter_context(socket.socket(socket.AF_UNIX))
        hung.bind(str(path))
        hung.listen(0)
        with suppress(BlockingIOError):
            while True:
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(str(path))
        with pytest.raises(UsageError, match="answers at") as caught:
            listen_in(path)
        assert caught.value.code == "port_unavailable"


def test_it_can_listen_at_the_other_address_of_this_machine() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listen_at("::1", 0) as listener:
        assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"
        assert is_for_this_machine(listener)
        with pytest.raises(UsageError, match="in use"):
            listen_at("::1", listener.getsockname()[1])


def test_a_second_signal_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_module, "SECONDS_FOR_ANSWERS", 3600)
    begun = threading.Event()

    async def endless(_: Scope, __: Receive, ___: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    with running(endless, stops=2) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(REQUEST)
        assert begun.wait(30)


def test_a_fault_of_our_own_is_an_answer_too() -> None:
    told: list[str] = []

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        stopping = asyncio.get_running_loop().create_future()
        gateway: Any = Gateway(None, None, None, stopping, None, None, told.append)  # type: ignore[arg-type]
        await gateway(scope, receive, send)

    with running(broken) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(b"POST /api/chat HTTP/1.0\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(b'{"error":"the gateway failed"}')
    assert told == ["A request failed for a reason within ollama-cli: AttributeError."]


def test_there_is_room_for_all_connections_whatever_limit_it_was_started_with(
    device: Cli, cloud: ScriptedServer
) -> None:
    few, most = 300, resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most[1]))
        try:
            serve = stack.enter_context(serve_process(device))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, most)
        soft, _ = resource.prlimit(serve.process.pid, resource.RLIMIT_NOFILE)
        assert soft >= 2 * connections.MOST_CONNECTIONS


def test_nohup_has_it_go_on_without_a_terminal(device: Cli, cloud: ScriptedServer) -> None:
    with ExitStack() as stack:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            serve = stack.enter_context(serve_process(device))
        finally:
            signal.signal(signal.SIGHUP, before)
        status = Path(f"/proc/{serve.process.pid}/status").read_text(encoding="ascii")
        ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
        assert ignored & 1 << signal.SIGHUP - 1
        os.kill(serve.process.pid, signal.SIGHUP)
        with serve.client() as client:
            assert client.get("/").text == "Ollama is running"


def test_it_does_not_keep_the_terminal_of_whoever_started_it(device: Cli, cloud: ScriptedServer) -> None:
    with serve_process(device) as serve:
        os.kill(serve.process.pid, signal.SIGHUP)
        assert serve.process.wait(30) == 0

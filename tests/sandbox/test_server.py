from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from in_thread import in_thread

from ollama_cli.credentials.credential import ApiKey
from ollama_cli.credentials.device_key import DeviceKey
from ollama_cli.errors import StoreError, UsageError
from ollama_cli.sandbox import discovery
from ollama_cli.sandbox.accounts import LONGEST_NAME, Accounts
from ollama_cli.sandbox.discovery import announce_server, forget_server, running
from ollama_cli.sandbox.server import EmbeddedSandbox, serve

Connect = Callable[..., httpx.Client]

FOREGROUND = """
import sys
from pathlib import Path
from ollama_cli.sandbox.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), faults=sys.argv[3:], announce=lambda url: print(url, flush=True))
"""


@contextlib.contextmanager
def foreground(folder: Path, *faults: str, before: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox in a process of its own, and its URL."""
    command = [sys.executable, "-W", "error", "-c", before + FOREGROUND, str(folder), "0", *faults]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def instance_at(url: str) -> object:
    """Which sandbox answers at an address, if one does."""
    try:
        return httpx.get(f"{url}/sandbox", trust_env=False).json()["sandbox"]
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return None


class TestEmbedded:
    def test_it_answers_once_it_is_there_and_not_after(self, folder: Path) -> None:
        with EmbeddedSandbox(folder) as sandbox:
            assert sandbox.url.startswith("http://127.0.0.1:")
            assert httpx.get(f"{sandbox.url}/api/version", trust_env=False).json() == {"version": "0.0.0-sandbox"}
            instance = instance_at(sandbox.url)
            assert instance
        assert instance_at(sandbox.url) != instance  # another program may have its port by now
        sandbox.close()

    def test_it_leaves_no_thread_behind(self, folder: Path) -> None:
        before = set(threading.enumerate())
        with EmbeddedSandbox(folder):
            assert [thread.name for thread in set(threading.enumerate()) - before] == ["ollama-cli sandbox"]
        assert not {thread for thread in set(threading.enumerate()) - before if thread.name == "ollama-cli sandbox"}

    def test_open_streams_do_not_hold_up_its_end(self, folder: Path) -> None:
        with EmbeddedSandbox(folder, faults=["/=stall"]) as sandbox:
            client = httpx.Client(trust_env=False, timeout=20)
            stream = client.stream("GET", sandbox.url)
            assert stream.__enter__().status_code == 200
        with contextlib.suppress(httpx.HTTPError):
            stream.__exit__(None, None, None)
        client.close()

    def test_it_leaves_signals_alone(self, folder: Path) -> None:
        before = signal.getsignal(signal.SIGINT)
        with EmbeddedSandbox(folder):
            assert signal.getsignal(signal.SIGINT) is before

    def test_it_is_not_found_by_others(self, folder: Path) -> None:
        with EmbeddedSandbox(folder):
            assert running(folder) is None

    def test_a_port_that_is_taken_is_named(self, folder: Path, embedded: EmbeddedSandbox) -> None:
        port = int(embedded.url.rpartition(":")[2])
        with pytest.raises(UsageError, match=str(port)) as caught:
            EmbeddedSandbox(folder, port=port)
        assert "--port" in str(caught.value.hint)

    def test_a_server_that_does_not_start_says_why(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fail(*_: object) -> None:
            raise OSError("no more of them")

        monkeypatch.setattr("ollama_cli.sandbox.serving.run", fail)
        with pytest.raises(OSError, match="no more of them"):
            EmbeddedSandbox(folder)

    def test_the_account_outlives_it(self, folder: Path, connect: Connect, key: DeviceKey) -> None:
        with EmbeddedSandbox(folder) as sandbox:
            sandbox.approve(key.public_key, "laptop")
            api_key = sandbox.make_api_key("ci")
        with EmbeddedSandbox(folder) as sandbox:
            assert connect(sandbox, key).post("/api/me").status_code == 200
            assert connect(sandbox, ApiKey(api_key)).post("/api/me").status_code == 200

    def test_two_on_one_folder_share_the_account(
        self, start: Callable[..., EmbeddedSandbox], connect: Connect, key: DeviceKey
    ) -> None:
        one, other = start(), start()
        one.approve(key.public_key, "laptop")
        assert connect(other, key).delete(f"/api/user/keys/{key.encoded}").status_code == 200
        assert connect(one, key).post("/api/me").status_code == 401


class TestAccounts:
    @pytest.mark.skipif(os.name == "nt", reason="modes are of Unix")
    def test_only_its_owner_can_read_it(self, folder: Path) -> None:
        Accounts(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "account.sqlite3").stat().st_mode & 0o777 == 0o600

    def test_a_file_that_is_no_database_is_named(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "account.sqlite3").write_text("no database at all, and long enough to be looked at")
        with pytest.raises(StoreError, match=r"account\.sqlite3"):
            Accounts(folder)

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreError):
            Accounts(tmp_path / "file" / "folder")
        (tmp_path / "account.sqlite3").mkdir()
        with pytest.raises(StoreError):
            Accounts(tmp_path)

    def test_a_name_is_cut_and_kept_whole_enough_to_store(self, folder: Path) -> None:
        accounts = Accounts(folder)
        accounts.approve("key", "\udcff" + "x" * 1000, 1)
        device = accounts.device("key")
        assert device is not None
        assert device.name == "?" + "x" * (LONGEST_NAME - 1)

    def test_many_at_once_lose_nothing(self, folder: Path) -> None:
        def work(number: int) -> None:
            accounts = Accounts(folder)
            for index in range(5):
                accounts.approve(f"{number}-{index}", "x", 1)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(Accounts(folder).devices()) == 30

    def test_a_request_is_answered_though_the_account_is_broken(self, folder: Path, device: httpx.Client) -> None:
        (folder / "account.sqlite3").write_text("this was overwritten while the sandbox ran, by somebody else")
        answer = device.post("/api/me")
        assert answer.status_code == 503
        assert "account" in answer.json()["error"]


class TestForeground:
    @pytest.mark.skipif(os.name == "nt", reason="signals are of Unix")
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_ends_it_at_once_and_without_a_word(self, folder: Path, number: signal.Signals) -> None:
        with foreground(folder, "/=stall") as (process, url):
            assert running(folder) == url
            said = json.loads((folder / "server.json").read_text())
            assert (said["url"], said["pid"]) == (url, process.pid)
            with contextlib.suppress(httpx.HTTPError), httpx.stream("GET", url, trust_env=False, timeout=20) as stream:
                process.send_signal(number)
                assert process.communicate(timeout=10) == ("", "")
                stream.read()
            assert process.returncode == 0
            assert not (folder / "server.json").exists()
            assert running(folder) is None

    @pytest.mark.skipif(os.name == "nt", reason="the limit is of Unix")
    def test_more_connections_than_it_can_have_are_borne_without_a_word(self, folder: Path) -> None:
        few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\n"
        with foreground(folder, before=few) as (process, url), contextlib.ExitStack() as opened:
            port = int(url.rpartition(":")[2])
            for _ in range(40):
                opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            opened.close()
            assert instance_at(url)
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=10) == ("", "")

    def test_a_second_one_for_the_folder_is_refused(self, folder: Path) -> None:
        with foreground(folder) as (_, url), pytest.raises(UsageError, match=url):
            serve(folder, port=0, announce=pytest.fail)

    def test_of_two_that_start_in_the_same_moment_one_is_refused(self, folder: Path) -> None:
        held = """
import sys
from ollama_cli.sandbox import server
def announce_late(*said):
    print("[about to say where]", flush=True)
    sys.stdin.readline()
    announce_at_once(*said)
announce_at_once, server.announce_server = server.announce_server, announce_late
"""
        with foreground(folder, before=held) as (first, said), foreground(folder) as (second, url):
            assert said == "[about to say where]"
            assert url == ""
            assert first.stdin is not None
            first.stdin.write("\n")
            first.stdin.flush()
            assert first.stdout is not None
            assert first.stdout.readline().strip() == running(folder)
            assert second.stderr is not None
            assert "UsageError: A sandbox with this account" in second.stderr.read()

    def test_a_port_that_is_taken_is_named(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(UsageError, match=str(port)):
                serve(folder, port=port, announce=pytest.fail)
        with pytest.raises(UsageError, match="70000"):
            serve(folder, port=70000, announce=pytest.fail)


class TestDiscovery:
    def test_nothing_was_written(self, folder: Path) -> None:
        assert running(folder) is None

    def test_what_an_earlier_run_left_is_not_believed(self, folder: Path, embedded: EmbeddedSandbox) -> None:
        announce_server(folder, embedded.url, "another run")
        assert running(folder) is None

    def test_the_run_itself_is_believed(self, folder: Path, embedded: EmbeddedSandbox) -> None:
        instance = httpx.get(f"{embedded.url}/sandbox", trust_env=False).json()["sandbox"]
        announce_server(folder, embedded.url, instance)
        assert running(folder) == embedded.url
        forget_server(folder, "another run")
        assert running(folder) == embedded.url
        forget_server(folder, instance)
        assert running(folder) is None

    def test_an_answer_that_nests_without_end_is_none(self, folder: Path) -> None:
        class Nests(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"[" * 4000)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

        with HTTPServer(("127.0.0.1", 0), Nests) as other, in_thread(other):
            announce_server(folder, f"http://127.0.0.1:{other.server_port}", "x")
            assert running(folder) is None

    def test_one_that_is_busy_for_a_while_is_found(self, folder: Path) -> None:
        class Busy(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(1.5)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"sandbox": "x"}')

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

        with HTTPServer(("127.0.0.1", 0), Busy) as busy, in_thread(busy):
            url = f"http://127.0.0.1:{busy.server_port}"
            announce_server(folder, url, "x")
            assert running(folder) == url

    def test_a_server_that_says_nothing_is_none(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(discovery, "SECONDS_TO_ANSWER", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            announce_server(folder, f"http://127.0.0.1:{silent.getsockname()[1]}", "x")
            assert running(folder) is None

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "{",
            "[]",
            "null",
            '{"url": 7, "instance": "x"}',
            '{"url": "http://127.0.0.1:1", "instance": 7}',
            '{"url": "http://127.0.0.1", "instance": "x"}',
            '{"url": "http://example.com:80", "instance": "x"}',
            '{"url": "https://127.0.0.1:1", "instance": "x"}',
            '{"url": "http://127.0.0.1:99999", "instance": "x"}',
            '{"url": "http://[", "instance": "x"}',
            '{"url": "http://127.0.0.1:1", "instance": "x"}',
            pytest.param("[" * 100_000, id="nested without end"),
        ],
    )
    def test_nonsense_is_no_server(self, folder: Path, content: str) -> None:
        folder.mkdir()
        (folder / "server.json").write_text(content)
        assert running(folder) is None
        forget_server(folder, "x")

    def test_looking_loads_no_server(self, folder: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from ollama_cli.sandbox.discovery import running; "
            "running(Path(sys.argv[1])); heavy = {'starlette', 'uvicorn', 'jinja2', 'httpx'}; "
            "print(sorted(heavy & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

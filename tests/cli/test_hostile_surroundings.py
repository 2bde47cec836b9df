"""Servers, pages on the way, pipes, files and settings that are not what they should be."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import sign_in
from forking import Forks
from in_thread import in_thread
from support import COMMAND, Cli, Sandbox

from ollama_cli import DeviceKey
from ollama_cli.terminal.errors import show_fault
from ollama_cli.terminal.streams import LastLines, Streams

pytestmark = pytest.mark.forked

MODEL = "gpt-oss:120b-cloud"


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], tuple[int, bytes]]) -> Iterator[str]:
    """A server that is no Ollama server at all."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = answer(self)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the library
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with in_thread(listening):
        yield f"http://127.0.0.1:{listening.server_address[1]}"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("body:html", 7),
        ("status:401+body:html", 7),
        ("status:404+body:html", 7),
        ("status:401+body:empty", 7),
        ("status:401", 7),
        ("status:404", 7),
        ("status:410", 7),
        ('body:{"error":"busy"}', 7),
        ("skew:200000", 4),
        ("status:500", 7),
        ("drop", 7),
    ],
)
@pytest.mark.parametrize("command", [["signout"], ["keys", "revoke", "--yes"]])
def test_only_what_the_server_confirmed_is_forgotten(
    tmp_path: Path, start: Callable[..., Sandbox], fault: str, status: int, command: list[str], forks: Forks
) -> None:
    faulty = start(f"DELETE /api/user/keys/*={fault}")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": faulty.url}, forks)
    sign_in(device, faulty)
    assert device(*command).returncode == status
    assert device("status", "--quiet").returncode == 0


def test_a_key_that_the_server_does_not_know_is_forgotten(signed_in: Cli, sandbox: Sandbox) -> None:
    sandbox.take_off_all()
    done = signed_in("signout")
    assert done.returncode == 0
    assert "already" in done.stderr
    assert not list((signed_in.home / "state" / "data" / "keys").iterdir())


def echo(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
    return 400, json.dumps({"error": f"bad {request.headers['Authorization']}"}).encode()


def test_a_secret_that_the_server_repeats_is_not_shown(cli: Cli) -> None:
    with server(echo) as url:
        key = cli("run", MODEL, "hi", env={"OLLAMA_CLOUD_BASE_URL": url, "OLLAMA_API_KEY": "SECRETKEY123"})
        signed = cli("--insecure-storage", "run", MODEL, "hi", env={"OLLAMA_CLOUD_BASE_URL": url})
    assert key.returncode == signed.returncode == 2
    assert "SECRETKEY123" not in key.stderr
    assert "[hidden]" in key.stderr
    assert "[hidden]" in signed.stderr
    assert "==" not in signed.stderr


@pytest.mark.parametrize("body", [b"[]", b'"x"', b'{"name":5}', b'{"name":{}}', b"<html>portal", b"", b"[" * 9999])
def test_an_answer_about_no_account_means_that_it_could_not_be_checked(cli: Cli, body: bytes) -> None:
    with server(lambda _: (200, body)) as url:
        environment = {"OLLAMA_CLOUD_BASE_URL": url, "OLLAMA_API_KEY": "x"}
        assert cli("status", env=environment).returncode == 7


@pytest.mark.parametrize("body", [b"null", b"{}", b'{"name":""}'])
def test_an_empty_account_means_signed_out(cli: Cli, body: bytes) -> None:
    with server(lambda _: (200, body)) as url:
        environment = {"OLLAMA_CLOUD_BASE_URL": url, "OLLAMA_API_KEY": "x"}
        assert cli("status", env=environment).returncode == 4


def test_no_control_sequence_of_a_server_is_printed_raw(cli: Cli) -> None:
    name = "\x1b[2Jbob\u009b31m\u202e"
    with server(lambda _: (200, json.dumps({"name": name}, ensure_ascii=False).encode())) as url:
        environment = {"OLLAMA_CLOUD_BASE_URL": url, "OLLAMA_API_KEY": "x"}
        for args in (["status"], ["status", "--json"], ["--debug", "status"]):
            done = cli(*args, env=environment)
            assert done.returncode == 0
            assert not [char for char in "\x1b\u009b\u202e" if char in done.stdout + done.stderr]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "no-such-file"),
        ("SSL_CERT_FILE", __file__),
        ("HTTPS_PROXY", "ftp://127.0.0.1:9"),
        ("ALL_PROXY", "socks4://127.0.0.1:9"),
        ("OLLAMA_HOST", "a..b"),
        ("OLLAMA_HOST", "ollama。com"),
        ("OLLAMA_CLOUD_BASE_URL", "https://ollama.com.example"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(cli: Cli, name: str, value: str) -> None:
    done = cli("status", env={"OLLAMA_API_KEY": "x", name: value})
    assert done.returncode == 2
    assert name in done.stderr


def test_the_sandbox_looks_at_no_other_setting(cli: Cli) -> None:
    environment = {"OLLAMA_HOST": "ftp://x", "OLLAMA_CLOUD_BASE_URL": "https://elsewhere.example"}
    assert cli("--sandbox", "signin", env=environment).returncode == 0


def shell(device: Cli, script: str) -> tuple[int, str]:
    """What a shell makes of a line, and what it prints on stderr."""
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        env={**device.environment, "CLI": COMMAND},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ('"$CLI" --version >&-', 0),
        ('"$CLI" --version >/dev/full', 1),
        ('"$CLI" --sandbox signin >&-', 0),
        ('"$CLI" --sandbox signin <&-', 0),
        ('"$CLI" --sandbox signin 2>&-', 0),
        ('"$CLI" --help >/dev/full', 1),
        ('"$CLI" run "" hi 2>/dev/full', 2),
        ('"$CLI" run "" hi 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}', 2),
        ('"$CLI" --help | true; exit ${PIPESTATUS[0]}', 141),
    ],
)
def test_streams_that_are_closed_or_full_are_no_fault_of_ours(cli: Cli, script: str, status: int) -> None:
    code, stderr = shell(cli, script)
    if "| true" in script and status == 141:
        assert code in {0, 141}  # whether the reader is gone in time is its own affair
    else:
        assert code == status
    assert "Traceback" not in stderr
    assert "should not" not in stderr
    assert ("Error: The output cannot be written: No space left on device.\n" in stderr) == (" >/dev/full" in script)


WITHOUT_MEMORY = """
import resource
from ollama_cli.__main__ import entry
resource.setrlimit(resource.RLIMIT_AS, (0, 0))
entry()
"""


def test_a_start_without_memory_is_told_in_a_sentence(cli: Cli) -> None:
    command = [sys.executable, "-c", WITHOUT_MEMORY]
    done = subprocess.run(command, env=cli.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"Error: ollama-cli cannot run here \(\w+\)\.\n", done.stderr)


@pytest.mark.parametrize(
    "fault",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        ImportError("x.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_memory_that_the_system_refuses_is_no_fault_of_ours(fault: Exception) -> None:
    streams = Streams(io.StringIO(), io.StringIO(), io.StringIO(), LastLines())
    assert show_fault(streams, fault, as_json=True, debug=False).code == "out_of_memory"


def test_bytes_that_are_no_utf8_are_replaced(signed_in: Cli, sandbox: Sandbox) -> None:
    assert signed_in("run", MODEL, os.fsdecode(b"caf\xe9"), stdin=b"\xff\xfe").returncode == 0
    assert sandbox.requests()[-1]["body"]["prompt"] == "\ufffd\ufffd caf\ufffd"


@pytest.mark.parametrize("text", ["[" * 9999, "{}", '{"version": 99, "credentials": []}', "", "\x00"])
def test_a_damaged_list_of_credentials_is_named_and_kept(signed_in: Cli, text: str) -> None:
    index = signed_in.home / "state" / "data" / "credentials.json"
    index.write_text(text)
    for args in (["status"], ["--insecure-storage", "signin", "--no-wait"], ["signout"]):
        done = signed_in(*args)
        assert done.returncode == 9
        assert str(index) in done.stderr
    assert index.read_text() == text


@pytest.mark.parametrize("name", ["credentials.json", "keys/default@*"])
@pytest.mark.parametrize("command", [["status"], ["--insecure-storage", "signin"], ["signout"]], ids=" ".join)
def test_a_pipe_in_the_place_of_a_file_is_named_and_not_waited_for(
    signed_in: Cli, name: str, command: list[str]
) -> None:
    (path,) = (signed_in.home / "state" / "data").glob(name)
    path.unlink()
    os.mkfifo(path)
    done = signed_in(*command)
    assert done.returncode == 9
    assert f"{path} cannot be read: it is not a file." in done.stderr


@pytest.mark.parametrize("name", ["credentials.json", "keys/default@*"])
def test_a_file_that_others_can_write_is_refused(signed_in: Cli, name: str) -> None:
    (path,) = (signed_in.home / "state" / "data").glob(name)
    path.chmod(0o666)
    done = signed_in("status", "--json")
    assert done.returncode == 9
    assert json.loads(done.stderr)["error"]["code"] == "store_unsafe"


def test_the_way_out_of_a_damaged_list_finds_a_key_in_a_file_again(signed_in: Cli) -> None:
    before = json.loads(signed_in("status", "--json").stdout)["fingerprint"]
    index = signed_in.home / "state" / "data" / "credentials.json"
    index.write_text("{")
    assert "`ollama-cli --insecure-storage signin`" in signed_in("status").stderr
    index.rename(index.with_suffix(".away"))
    assert signed_in("--insecure-storage", "signin").returncode == 0
    assert json.loads(signed_in("status", "--json").stdout)["fingerprint"] == before


def test_another_key_in_the_place_of_the_listed_one_is_named_and_left(signed_in: Cli) -> None:
    path = next((signed_in.home / "state" / "data" / "keys").iterdir())
    listed = json.loads(signed_in("keys", "show", "--json").stdout)["fingerprint"]
    other = DeviceKey.generate().to_openssh().reveal()
    path.write_text(other)
    for command in (["status"], ["--insecure-storage", "signin"], ["signout"], ["keys", "revoke", "--yes"]):
        done = signed_in(*command)
        assert done.returncode == 9
        assert "another key than was stored there" in done.stderr
        assert listed in done.stderr
    assert path.read_text() == other


@pytest.mark.parametrize("args", [["--json=true", "--nonsense"], ["--json=maybe"]], ids=" ".join)
def test_json_and_a_value_make_errors_json_too(device: Cli, args: list[str]) -> None:
    done = device("status", *args)
    assert done.returncode == 2
    assert json.loads(done.stderr)["error"]["status"] == 2


def test_an_answer_ends_with_its_last_chunk_though_the_server_goes_on(cli: Cli) -> None:
    lines = b'{"response":"hi","done":false}\n{"response":"","done":true}\n{"response":"more","done":false}\n'
    with server(lambda _: (200, lines)) as url:
        done = cli("run", MODEL, "hi", env={"OLLAMA_CLOUD_BASE_URL": url, "OLLAMA_API_KEY": "x"})
    assert (done.returncode, done.stdout) == (0, "hi\n")

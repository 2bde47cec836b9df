"""``create``: what a Modelfile makes of a request, which files go along and how, and what breaks it off."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support import AS_A_USER, COMMAND, Cli, needs_a_user
from terminals import finish, terminal

GGUF = b"GGUF\x03\x00\x00\x00" + bytes(range(256)) * 8
WEIGHTS = b"\x10\x00\x00\x00\x00\x00\x00\x00{}"
ZIP = b"PK\x03\x04" + bytes(60)
MADE = [{"status": "writing manifest"}, {"status": "success"}]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Daemon:
    """A daemon that takes files and makes models; what it does otherwise, a test sets."""

    url: str = ""
    blobs: dict[str, int] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answer: list[dict[str, Any]] = field(default_factory=lambda: list(MADE))
    drops: int = 0
    refusal: tuple[int, dict[str, Any]] | None = None
    receiving: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with running(Daemon()) as started:
        started.go_on.set()
        yield started


@contextmanager
def running(state: Daemon) -> Iterator[Daemon]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.paths.append(f"{self.command} {self.path}")
            self._send(200, {"version": "0.1"})

        def do_HEAD(self) -> None:
            state.paths.append(f"{self.command} {self.path}")
            self._send(200 if self.path.removeprefix("/api/blobs/") in state.blobs else 404, None)

        def do_POST(self) -> None:
            state.paths.append(f"{self.command} {self.path}")
            length = int(self.headers["Content-Length"])
            if self.path == "/api/create":
                state.created.append(json.loads(self.rfile.read(length)))
                self._send(200, None, "".join(f"{json.dumps(event)}\n" for event in state.answer).encode())
                return
            self._take_blob(self.path.removeprefix("/api/blobs/"), length)

        def _take_blob(self, digest: str, length: int) -> None:
            if state.refusal is not None:
                self.close_connection = True
                self._send(*state.refusal)
                return
            hashed, left = hashlib.sha256(), length
            while left:
                piece = self.rfile.read1(min(left, 1 << 20))  # type: ignore[attr-defined]  # of a BufferedReader
                if not piece:
                    state.left.set()
                    self.close_connection = True
                    return
                hashed.update(piece)
                left -= len(piece)
                state.receiving.set()
                assert state.go_on.wait(30)
                if state.drops:
                    state.drops -= 1
                    self.close_connection = True
                    return
            state.uploads.append(digest)
            got = f"sha256:{hashed.hexdigest()}"
            if got != digest:
                self._send(400, {"error": f'digest mismatch, expected "{digest}", got "{got}"'})
                return
            state.blobs[digest] = length
            self._send(201, None)

        def _send(self, status: int, content: Any, body: bytes = b"") -> None:
            body = json.dumps(content).encode() if content is not None else body
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that leaves is no error."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Maker:
    """Runs ``create`` in a folder with files."""

    cli: Cli
    daemon: Daemon
    folder: Path

    def __call__(self, modelfile: str | bytes | None = None, *args: str, **files: bytes) -> Any:
        """Write the files and run ``create mine``."""
        self.write(modelfile, files)
        return self.cli("create", *args, "mine", env={"OLLAMA_HOST": self.daemon.url}, cwd=self.folder)

    def write(self, modelfile: str | bytes | None, files: dict[str, bytes]) -> None:
        if modelfile is not None:
            files = {"Modelfile": modelfile.encode() if isinstance(modelfile, str) else modelfile, **files}
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@pytest.fixture
def make(cli: Cli, daemon: Daemon, tmp_path: Path) -> Maker:
    folder = tmp_path / "model"
    folder.mkdir()
    return Maker(cli, daemon, folder)


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])["error"]
    return error


# The request


def test_every_instruction_is_in_the_request(make: Maker) -> None:
    done = make(
        """\
# A model of mine.
from tiny
FROM other
TEMPLATE \"\"\"{{ .Prompt }}
\"\"\"
SYSTEM One.
SYSTEM "Two.
Three."
PARAMETER temperature 0.5
PARAMETER temperature 0.25
PARAMETER num_ctx 4096
PARAMETER use_mmap false
PARAMETER stop <a>
PARAMETER stop " b "
PARAMETER mirostat_tau 3
LICENSE MIT
LICENSE \"\"\"and
more\"\"\"
MESSAGE user Hello: there
MESSAGE assistant Hi
RENDERER r
PARSER p
REQUIRES v0.14.0
""",
        "-q",
        "q4_K_M",
    )
    assert done.returncode == 0, done.stderr
    assert make.daemon.created == [
        {
            "model": "mine",
            "from": "other",
            "template": "{{ .Prompt }}\n",
            "system": "Two.\nThree.",
            "parameters": {
                "temperature": 0.25,
                "num_ctx": 4096,
                "use_mmap": False,
                "stop": ["<a>", " b "],
            },
            "license": ["MIT", "and\nmore"],
            "messages": [{"role": "user", "content": "Hello: there"}, {"role": "assistant", "content": "Hi"}],
            "renderer": "r",
            "parser": "p",
            "requires": "0.14.0",
            "quantize": "q4_K_M",
        }
    ]
    assert make.daemon.paths == ["POST /api/create"]
    assert done.stderr == (
        "Warning: The parameter mirostat_tau has no effect any more, and is left out.\n"
        "writing manifest\nsuccess\nmine is created.\n"
    )
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("modelfile", "message"),
    [
        ("", "no FROM line"),
        ("FROM tiny\nPARAMETER heat 3\n", "Line 2 of the Modelfile: There is no parameter 'heat'"),
        ("FROM tiny\nPARAMETER seed x\n", "Line 2 of the Modelfile: seed takes a whole number"),
        ("FROM tiny\nREQUIRES new", "Line 2 of the Modelfile: 'new' is no version"),
        ('FROM ""', "Line 1 of the Modelfile: FROM has no value"),
        ("FROM ./nope.gguf", "Line 1 of the Modelfile: there is no file ./nope.gguf"),
        ("FROM nope.gguf", "there is no file nope.gguf"),
        ("FROM ../../a/b/c/d", "there is no file"),
        ("FROM tiny\nADAPTER nope", "Line 2 of the Modelfile: there is no file nope"),
        ("FROM tiny\nDRAFT nope", "Line 2 of the Modelfile: there is no file nope"),
        ("FROM ~nobody-is-called-this/x", "home of somebody who is not known"),
        (f"FROM {'a/' * 5000}", "cannot be read"),
        ("FROM big:cloud:local", "there is no file"),
        ("FROM /dev/null", "neither a file nor a folder"),
        ("FROM ./empty", "holds no model"),
        ("FROM model.gguf\nDRAFT ./model.gguf", "DRAFT and FROM name the same file"),
        (b"\xff\xfeF\x00R\x00O\x00M\x00", "Line 1 of the Modelfile: FROM has no value"),
        (GGUF, "is no instruction"),
    ],
)
def test_a_modelfile_that_is_wrong_asks_nothing(make: Maker, modelfile: str | bytes, message: str) -> None:
    (make.folder / "empty").mkdir()
    done = make(modelfile, "--json", **{"model.gguf": GGUF})
    error = error_of(done)
    assert (done.returncode, done.stdout, make.daemon.paths) == (2, "", [])
    assert message in error["message"]


def test_a_modelfile_is_named_or_piped(make: Maker, daemon: Daemon) -> None:
    make.write(None, {"sub/other": b"FROM ./x.gguf", "sub/x.gguf": GGUF})
    environment = {"OLLAMA_HOST": daemon.url}
    assert make(None, "-f", "sub/other").returncode == 0
    piped = make.cli("create", "-f", "-", "mine", stdin="\ufeffFROM sub/x.gguf", env=environment, cwd=make.folder)
    assert piped.returncode == 0, piped.stderr
    for args in (["-f", "nope"], ["-f", "sub"], ["-f", "-"], []):
        done = make(None, "--json", *args)
        assert (done.returncode, done.stdout) == (2, "")
    assert "There is no Modelfile here." in error_of(done)["message"]
    assert [body["files"] for body in daemon.created] == [{"x.gguf": digest_of(GGUF)}] * 2


def test_without_a_modelfile_the_model_in_the_folder_is_taken(make: Maker, daemon: Daemon) -> None:
    assert make(None, **{"model.gguf": GGUF}).returncode == 0
    assert daemon.created == [{"model": "mine", "files": {"model.gguf": digest_of(GGUF)}}]


def test_a_draft_can_be_quantised_only_where_there_is_one(make: Maker, daemon: Daemon) -> None:
    files = {"a.gguf": GGUF, "b.gguf": GGUF[:-1]}
    assert error_of(make("FROM ./a.gguf", "--json", "--draft-quantize", "q8_0", **files))["status"] == 2
    assert make("FROM ./a.gguf\nDRAFT ./b.gguf", "--draft-quantize", "q8_0").returncode == 0
    assert daemon.created == [
        {
            "model": "mine",
            "files": {"a.gguf": digest_of(GGUF)},
            "draft_files": {"b.gguf": digest_of(GGUF[:-1])},
            "draft_quantize": "q8_0",
        }
    ]


# The files


LAYOUTS: list[tuple[dict[str, bytes], set[str]]] = [
    (
        {
            "model-1-of-2.safetensors": WEIGHTS,
            "sub/model.safetensors": WEIGHTS + b"2",
            "consolidated.safetensors": WEIGHTS,
            "x.gguf": GGUF,
            "config.json": b"{}",
            "sub/config.json": b"{ }",
            "sub/deeper/config.json": b"{  }",
            ".cache/config.json": b"\x00",
            "chat_template.jinja": b"{{ }}",
            "tokenizer.model": b"\x00\x01",
            "README.md": b"#",
        },
        {
            "model-1-of-2.safetensors",
            "sub/model.safetensors",
            "config.json",
            "sub/config.json",
            "chat_template.jinja",
            "tokenizer.model",
        },
    ),
    (
        {"consolidated.00.safetensors": WEIGHTS, "s/tokenizer.model": b"\x00"},
        {"consolidated.00.safetensors", "s/tokenizer.model"},
    ),
    ({"adapter_model.safetensors": WEIGHTS, "a.json": b"{}"}, {"adapter_model.safetensors", "a.json"}),
    ({"pytorch_model.bin": ZIP, "a.json": b"{}"}, {"pytorch_model.bin", "a.json"}),
    ({"consolidated.00.pth": ZIP, "x.gguf": GGUF}, {"consolidated.00.pth"}),
    ({"pytorch_model.bin": b"text", "x.gguf": GGUF, "y.gguf": GGUF + b"2", "a.json": b"{}"}, {"x.gguf", "y.gguf"}),
    ({"x.gguf": b"text", "old.bin": GGUF}, {"old.bin"}),
]


@pytest.mark.parametrize(("files", "chosen"), LAYOUTS, ids=[next(iter(files)) for files, _ in LAYOUTS])
@pytest.mark.parametrize("instruction", ["FROM .", "FROM tiny\nADAPTER ."], ids=["from", "adapter"])
def test_a_folders_files_are_chosen(
    make: Maker, daemon: Daemon, files: dict[str, bytes], chosen: set[str], instruction: str
) -> None:
    if instruction != "FROM ." and next(iter(files)) != "adapter_model.safetensors":
        pytest.skip("an adapter is chosen by the same rule")
    done = make(instruction, **files)
    assert done.returncode == 0, done.stderr
    sent = daemon.created[0]["files" if instruction == "FROM ." else "adapters"]
    expected = {name: digest_of(files[name]) for name in chosen}
    assert sent == (expected if len(expected) > 1 else {Path(name).name: digest for name, digest in expected.items()})
    assert set(daemon.uploads) == set(expected.values())


@pytest.mark.parametrize(
    ("files", "status", "message"),
    [
        ({"model.safetensors": b"version https://git-lfs.github.com/spec/v1\n"}, 2, "stands for a file"),
        ({"model.safetensors": WEIGHTS, "config.json": b"\x00"}, 2, "config.json is no text"),
        ({"README.md": b"#"}, 2, "holds no model"),
    ],
)
def test_a_folder_that_cannot_be_used_is_told(make: Maker, files: dict[str, bytes], status: int, message: str) -> None:
    done = make("FROM .", "--json", **files)
    assert (done.returncode, make.daemon.paths) == (status, [])
    assert message in error_of(done)["message"]


def test_links_are_followed_within_a_folder_and_not_out_of_it(make: Maker, daemon: Daemon, tmp_path: Path) -> None:
    make.write("FROM .", {"blobs/ab": WEIGHTS})
    link = make.folder / "model.safetensors"
    link.symlink_to("blobs/ab")
    assert make().returncode == 0
    assert daemon.created[0]["files"] == {"ab": digest_of(WEIGHTS)}
    for target in (tmp_path / "secret", "nowhere"):
        link.unlink()
        (tmp_path / "secret").write_bytes(b"secret")
        link.symlink_to(target)
        done = make(None, "--json")
        assert done.returncode == (2 if target == "nowhere" else 1)
        assert "a link" in error_of(done)["message"]
    assert len(daemon.uploads) == 1


def test_a_home_and_an_absolute_path_are_understood(make: Maker, daemon: Daemon, tmp_path: Path) -> None:
    home = Path(make.cli.environment["HOME"])
    home.mkdir(exist_ok=True)
    (home / "h.gguf").write_bytes(GGUF)
    (tmp_path / "a b.gguf").write_bytes(GGUF + b"2")
    assert make(f'FROM ~/h.gguf\nADAPTER "{tmp_path}/a b.gguf"').returncode == 0
    assert daemon.created[0]["files"] == {"h.gguf": digest_of(GGUF)}
    assert daemon.created[0]["adapters"] == {"a b.gguf": digest_of(GGUF + b"2")}


@needs_a_user
def test_what_cannot_be_read_is_told(make: Maker, tmp_path: Path) -> None:
    make.write("FROM ./x.gguf", {"x.gguf": GGUF, "closed/x.gguf": GGUF, "Folder": b"FROM ./closed"})
    for path in (tmp_path, make.folder):
        path.chmod(0o755)
    (make.folder / "x.gguf").chmod(0)
    (make.folder / "closed").chmod(0o300)
    for modelfile in ("Modelfile", "Folder"):
        done = subprocess.run(
            [*AS_A_USER, COMMAND, "create", "--json", "-f", modelfile, "mine"],
            env=make.cli.environment | {"OLLAMA_HOST": make.daemon.url, "OLLAMA_CLI_HOME": "/nowhere"},
            cwd=make.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert "cannot be read: Permission denied" in done.stderr
    (make.folder / "closed").chmod(0o700)


# Sending


def test_what_the_daemon_has_is_not_sent_again(make: Maker, daemon: Daemon) -> None:
    modelfile = "FROM ./a.gguf\nFROM ./same.gguf\nFROM ./b.gguf"
    daemon.blobs[digest_of(GGUF + b"b")] = 1
    done = make(modelfile, "--json", **{"a.gguf": GGUF, "same.gguf": GGUF, "b.gguf": GGUF + b"b"})
    assert done.returncode == 0, done.stderr
    assert daemon.uploads == [digest_of(GGUF)]
    told = json.loads(done.stdout)
    assert told["model"] == "mine"
    assert [(file["name"], file["size"], file["sent"]) for file in told["files"]] == [
        ("a.gguf", len(GGUF), True),
        ("same.gguf", len(GGUF), False),
        ("b.gguf", len(GGUF) + 1, False),
    ]
    again = make(None)
    assert again.stderr.startswith("hashing a.gguf (2.1 KB)\nhashing same.gguf (2.1 KB)\n")
    assert "a.gguf is there already\n" in again.stderr
    assert len(daemon.uploads) == 1
    lines = [json.loads(line) for line in make(None, "--json-lines").stdout.splitlines()]
    assert lines[0] == {"status": "hashing a.gguf", "digest": "a.gguf", "total": len(GGUF), "completed": 0}
    assert lines[-1]["done"] is True


def test_an_empty_file_and_a_model_of_a_hostile_name(make: Maker, daemon: Daemon) -> None:
    name = "\x1b[2J\u202egood.gguf"
    done = make(f'FROM "./{name}"', **{name: b""})
    assert done.returncode == 2  # a control character is no part of a Modelfile's text
    done = make("FROM .", **{name: GGUF})
    assert done.returncode == 0, done.stderr
    assert daemon.created[0]["files"] == {name: digest_of(GGUF)}
    assert not re.search("\x1b|\u202e", done.stderr)
    assert make("FROM ./e.gguf", **{"e.gguf": b""}).returncode == 0
    assert daemon.blobs[digest_of(b"")] == 0


def test_a_name_that_is_no_text_is_refused(make: Maker) -> None:
    (make.folder / os.fsdecode(b"\xff.gguf")).write_bytes(GGUF)
    done = make("FROM .", "--json")
    assert (done.returncode, make.daemon.created) == (2, [])


def test_a_connection_that_is_lost_is_made_again(make: Maker, daemon: Daemon) -> None:
    daemon.drops = 1
    done = make("FROM ./a.gguf", **{"a.gguf": os.urandom(3_000_000)})
    assert done.returncode == 0, done.stderr
    assert len(daemon.uploads) == 1


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        ((401, {"error": "unauthorized"}), 4),
        ((413, {"error": "too large"}), 2),
        ((400, {"error": "digest mismatch, expected a, got b"}), 2),
        ((500, {"error": "no space left on device"}), 7),
    ],
)
def test_a_daemon_that_does_not_take_a_file_is_heard(
    make: Maker, daemon: Daemon, refusal: tuple[int, dict[str, Any]], status: int
) -> None:
    daemon.refusal = refusal
    done = make("FROM ./a.gguf", "--json", **{"a.gguf": os.urandom(5_000_000)})
    assert (done.returncode, daemon.created) == (status, []), done.stderr


@pytest.mark.parametrize("how", ["shorter", "longer", "other"])
def test_a_file_that_changes_while_it_is_sent_makes_no_model(cli: Cli, daemon: Daemon, make: Maker, how: str) -> None:
    daemon.go_on.clear()
    content = os.urandom(20_000_000)
    make.write("FROM ./a.gguf", {"a.gguf": content})
    process = subprocess.Popen(
        [COMMAND, "create", "--json", "mine"],
        env=cli.environment | {"OLLAMA_HOST": daemon.url},
        cwd=make.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert daemon.receiving.wait(30)
    with (make.folder / "a.gguf").open("r+b") as file:
        if how == "shorter":
            file.truncate(1000)
        elif how == "longer":
            file.seek(0, 2)
            file.write(b"more")
        file.seek(0)
        file.write(b"other")
        if how == "other":
            file.seek(19_000_000)
            file.write(bytes(1000))
    daemon.go_on.set()
    out, err = process.communicate(timeout=60)
    if how == "longer" and process.returncode == 0:
        assert daemon.blobs == {digest_of(content): len(content)}  # all that was announced was there
        return
    assert (process.returncode, out, daemon.created) == (2, "", []), err
    assert re.search("changed while|digest mismatch", json.loads(err)["error"]["message"])


def test_a_large_file_takes_no_more_memory_than_a_small_one(make: Maker) -> None:
    program = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    used = []
    for size in (1_000, 150_000_000):
        with (make.folder / "a.gguf").open("wb") as file:
            file.write(os.urandom(1000))
            file.truncate(size)
        make.write("FROM ./a.gguf", {})
        done = subprocess.run(
            [sys.executable, "-c", program, COMMAND, "create", "mine"],
            env=make.cli.environment | {"OLLAMA_HOST": make.daemon.url},
            cwd=make.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        used.append(int(done.stdout) * resource.getpagesize() // resource.getpagesize())
    assert used[1] - used[0] < 20_000  # kilobytes


@pytest.mark.parametrize("at_a_terminal", [True, False], ids=["terminal", "pipe"])
def test_ctrl_c_while_a_file_is_sent_ends_at_once(make: Maker, daemon: Daemon, at_a_terminal: bool) -> None:
    daemon.go_on.clear()
    make.write("FROM ./a.gguf", {"a.gguf": os.urandom(30_000_000)})
    device = Cli(make.cli.home, {"OLLAMA_HOST": daemon.url})
    if at_a_terminal:
        child = terminal(device, "create", "-f", str(make.folder / "Modelfile"), "mine", columns=80)
        assert daemon.receiving.wait(30)
        child.sendintr()
        status, shown = finish(child)
        assert "Traceback" not in shown
        assert "sending a.gguf" in shown
    else:
        process = device.start("create", "-f", str(make.folder / "Modelfile"), "mine")
        assert daemon.receiving.wait(30)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        status = process.returncode
    assert status == 130
    daemon.go_on.set()
    assert daemon.left.wait(30)
    assert daemon.created == []


# The daemon's answer


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("supplied file was not in GGUF format", 2),
        ("unknown type", 2),
        ("failed to validate GGUF with llama-quantize without compatibility patches: EOF", 2),
        ("template error: template: :1: unclosed action", 2),
        ("pull model manifest: file does not exist", 3),
        ('pull model manifest: Get "https://r/v2/": dial tcp: lookup r: no such host', 7),
        ('pull model manifest: Get "https://r/v2/": EOF', 7),
        ("open /m/blobs: no space left on device", 7),
        ("llama runner crashed", 8),
    ],
)
def test_an_error_of_the_daemon_ends_with_its_status(make: Maker, daemon: Daemon, said: str, status: int) -> None:
    daemon.answer = [{"status": "parsing GGUF"}, {"error": said}]
    done = make("FROM nope", "--json")
    assert (done.returncode, done.stdout) == (status, "")
    if status == 3:
        assert "'nope'" in error_of(done)["message"]


def test_without_a_daemon_no_file_is_read(cli: Cli, make: Maker) -> None:
    make.write("FROM ./a.gguf", {"a.gguf": GGUF})
    done = cli("create", "mine", env={"OLLAMA_HOST": "http://127.0.0.1:9"}, cwd=make.folder)
    assert done.returncode == 7
    assert done.stderr.startswith("Error: No Ollama server answers at http://127.0.0.1:9.\n  Start one")


def test_ollama_com_makes_no_models(cli: Cli, make: Maker) -> None:
    make.write("FROM tiny", {})
    done = cli("--sandbox", "create", "mine", cwd=make.folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "`create` works on the models of an Ollama server" in done.stderr

"""``create``: what a Modelfile makes of a request, which files go along and how, and what breaks it off."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from creating_daemon import CreatingDaemon, creating_daemon
from support import AS_A_USER, COMMAND, Cli, needs_a_user
from terminals import finish, pexpect_child, screen

pytestmark = pytest.mark.forked

GGUF = b"GGUF\x03\x00\x00\x00" + bytes(range(256)) * 8
WEIGHTS = b"\x10\x00\x00\x00\x00\x00\x00\x00{}"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture
def daemon() -> Iterator[CreatingDaemon]:
    with creating_daemon(CreatingDaemon()) as started:
        yield started


@dataclass
class Maker:
    """Runs ``create`` in a folder with files."""

    cli: Cli
    daemon: CreatingDaemon
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
def make(cli: Cli, daemon: CreatingDaemon, tmp_path: Path) -> Maker:
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


def test_a_modelfile_that_is_wrong_asks_nothing(make: Maker) -> None:
    for modelfile, message in (("", "no FROM line"), ("FROM ./nope.gguf", "Line 1 of the Modelfile: there is no file")):
        done = make(modelfile, "--json")
        assert (done.returncode, done.stdout, make.daemon.paths) == (2, "", [])
        assert message in error_of(done)["message"]


def test_a_modelfile_is_named_or_piped(make: Maker, daemon: CreatingDaemon) -> None:
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


def test_without_a_modelfile_the_model_in_the_folder_is_taken(make: Maker, daemon: CreatingDaemon) -> None:
    assert make(None, **{"model.gguf": GGUF}).returncode == 0
    assert daemon.created == [{"model": "mine", "files": {"model.gguf": digest_of(GGUF)}}]


def test_a_draft_can_be_quantised_only_where_there_is_one(make: Maker, daemon: CreatingDaemon) -> None:
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


def test_a_folder_is_sent_by_the_names_in_it(make: Maker, daemon: CreatingDaemon) -> None:
    files = {"model-1-of-2.safetensors": WEIGHTS, "sub/model.safetensors": WEIGHTS + b"2", "config.json": b"{}"}
    done = make("FROM .", **files, **{"README.md": b"#"})
    assert done.returncode == 0, done.stderr
    assert daemon.created[0]["files"] == {name: digest_of(content) for name, content in files.items()}
    assert set(daemon.uploads) == set(map(digest_of, files.values()))


def test_links_are_followed_within_a_folder_and_not_out_of_it(
    make: Maker, daemon: CreatingDaemon, tmp_path: Path
) -> None:
    make.write("FROM .", {"blobs/ab": WEIGHTS})
    link = make.folder / "model.safetensors"
    link.symlink_to("blobs/ab")
    assert make().returncode == 0
    assert daemon.created[0]["files"] == {"model.safetensors": digest_of(WEIGHTS)}
    for target in (tmp_path / "secret", "nowhere"):
        link.unlink()
        (tmp_path / "secret").write_bytes(b"secret")
        link.symlink_to(target)
        done = make(None, "--json")
        assert done.returncode == (2 if target == "nowhere" else 1)
        assert "a link" in error_of(done)["message"]
    assert len(daemon.uploads) == 1


def test_a_home_and_an_absolute_path_are_understood(make: Maker, daemon: CreatingDaemon, tmp_path: Path) -> None:
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
    (make.folder / "shut").mkdir(0o200)
    for modelfile in ("Modelfile", "Folder", "shut/Modelfile"):
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


def test_a_name_that_no_file_can_have_is_told(make: Maker) -> None:
    done = make(None, "-f", "x" * 300)
    assert (done.returncode, "cannot be read: File name too long" in done.stderr) == (2, True)


# Sending


def test_what_the_daemon_has_is_not_sent_again(make: Maker, daemon: CreatingDaemon) -> None:
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


def test_an_empty_file_and_a_model_of_a_hostile_name(make: Maker, daemon: CreatingDaemon) -> None:
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


def test_a_connection_that_is_lost_is_made_again_and_told_above_the_bars(make: Maker, daemon: CreatingDaemon) -> None:
    daemon.drops = 1
    make.write("FROM ./a.gguf", {"a.gguf": os.urandom(30_000_000)})
    device = Cli(make.cli.home, {"OLLAMA_HOST": daemon.url})
    status, text = finish(pexpect_child(device, "create", "-f", str(make.folder / "Modelfile"), "mine", columns=100))
    assert status == 0
    assert len(daemon.uploads) == 1
    shown = [line.rstrip() for line in screen(text, 24, 100).display if line.strip()]
    assert shown[0].startswith("hashing a.gguf")
    assert re.fullmatch(r"The connection to 127\.0\.0\.1:\d+ broke off; trying again in .* \(1 of 3\)\.", shown[1])
    assert shown[2].startswith("sending a.gguf")
    assert shown[3:] == ["writing manifest", "success", "mine is created."]


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
    make: Maker, daemon: CreatingDaemon, refusal: tuple[int, dict[str, Any]], status: int
) -> None:
    daemon.refusal = refusal
    done = make("FROM ./a.gguf", "--json", **{"a.gguf": os.urandom(5_000_000)})
    assert (done.returncode, daemon.created) == (status, []), done.stderr


@pytest.mark.parametrize("how", ["shorter", "longer", "other"])
def test_a_file_that_changes_while_it_is_sent_makes_no_model(
    cli: Cli, daemon: CreatingDaemon, make: Maker, how: str
) -> None:
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
    for size in (1_000, 80_000_000):
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
        used.append(int(done.stdout))  # kilobytes
    assert used[1] - used[0] < 20_000


@pytest.mark.parametrize("at_a_terminal", [True, False], ids=["terminal", "pipe"])
def test_ctrl_c_while_a_file_is_sent_ends_at_once(make: Maker, daemon: CreatingDaemon, at_a_terminal: bool) -> None:
    daemon.go_on.clear()
    make.write("FROM ./a.gguf", {"a.gguf": os.urandom(30_000_000)})
    device = Cli(make.cli.home, {"OLLAMA_HOST": daemon.url})
    if at_a_terminal:
        child = pexpect_child(device, "create", "-f", str(make.folder / "Modelfile"), "mine", columns=80)
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


def test_a_reader_that_goes_away_while_a_file_is_sent_ends_it(make: Maker, daemon: CreatingDaemon) -> None:
    daemon.go_on.clear()
    make.write("FROM ./a.gguf", {"a.gguf": os.urandom(30_000_000)})
    process = Cli(make.cli.home, {"OLLAMA_HOST": daemon.url}).start(
        "create", "--json-lines", "-f", str(make.folder / "Modelfile"), "mine"
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert daemon.receiving.wait(30)
    process.stdout.close()
    daemon.go_on.set()
    assert process.wait(30) == 141
    assert process.stderr.read() == ""
    process.stderr.close()
    assert daemon.created == []


# The daemon's answer


def test_an_error_of_the_daemon_names_what_the_model_begins_from(make: Maker, daemon: CreatingDaemon) -> None:
    daemon.answer = [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]
    done = make("FROM nope", "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert error_of(done)["message"] == "There is no model 'nope'."
    assert error_of(done)["hint"].startswith("FROM names a model")


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

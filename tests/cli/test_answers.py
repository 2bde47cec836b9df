"""Answers at a terminal and in a pipe: what is shown, wrapped, taken out, and left when it is interrupted."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pexpect
import pyte
import pytest
from streaming_server import StreamingServer, streaming_server
from support import COMMAND, Cli, Sandbox, until

MODEL = "gpt-oss:120b-cloud"
TEXT = (
    "The sky is blue because air scatters short waves of light much more than long ones, and blue light has shorter "
    "waves than red light has.\n\n    an_indented = line_of(code)\n\nThat is all; see "
    "https://en.wikipedia.org/wiki/Rayleigh_scattering#Cause_of_the_blue_color_of_the_sky_and_more for the rest."
)
SIGN_OF_LIFE = re.compile(r"\r [⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ]\r")
TAKEN_BACK = re.compile(r"\x1b\[(\d+)D\x1b\[K")


@pytest.fixture
def server() -> Iterator[StreamingServer]:
    with streaming_server() as running:
        yield running


@pytest.fixture
def asker(cli: Cli, server: StreamingServer) -> Cli:
    """The command, with that server as its cloud."""
    return Cli(cli.home, server.environment)


def at_terminal(asker: Cli, *args: str, columns: int = 80, **environment: str) -> pexpect.spawn[str]:
    return pexpect.spawn(
        COMMAND,
        ["run", MODEL, "hi", *args],
        env={**asker.environment, "TERM": "xterm-256color", **environment},
        dimensions=(24, columns),
        encoding="utf-8",
        timeout=30,
    )


def finish(child: pexpect.spawn[str]) -> tuple[int | None, str]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before or ""


def screen_of(shown: str, columns: int) -> list[str]:
    screen = pyte.Screen(columns, 24)
    pyte.Stream(screen).feed(shown)
    return "\n".join(line.rstrip() for line in screen.display).rstrip().split("\n")


def settled(shown: str) -> str:
    """What stands there in the end, in ASCII: with what was taken back out again."""
    text, shown = "", SIGN_OF_LIFE.sub("", shown)
    for part in re.split(r"(\x1b\[\d+D\x1b\[K)", shown.replace("\r\n", "\n")):
        taken_back = TAKEN_BACK.fullmatch(part)
        text = text[: -int(taken_back[1])] if taken_back else text + part
    assert "\x1b" not in text
    return re.sub(r" +$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_word_is_broken_that_fits(asker: Cli, server: StreamingServer, columns: int) -> None:
    child = at_terminal(asker, columns=columns)
    with server.request() as request:
        request.start()
        for piece in re.findall(r".{1,3}", TEXT, re.DOTALL):
            request.say(piece)
        request.finish()
        status, shown = finish(child)
    assert status == 0
    lines = settled(shown).rstrip("\n").split("\n")
    assert "    an_indented = line_of(code)" in lines
    assert " ".join(" ".join(lines).split()) == " ".join(TEXT.split())
    for line, after in pairwise(lines):
        assert len(line) <= columns - 5 or line in TEXT.split()
        ends_here = f"{line}\n" in TEXT
        assert ends_here or len(f"{line} {after.split()[0]} ") > columns - 5


def test_the_screen_is_that_of_a_text_wrapped_by_hand(asker: Cli, server: StreamingServer) -> None:
    child = at_terminal(asker, columns=40)
    with server.request() as request:
        request.start()
        for piece in (
            "\n\n",
            "Wide ",
            "日本語のテキストがここに",
            "あります and em",
            "oji 👍 too, to",
            "gether",
            " right now.\n",
        ):
            request.say(piece)
        request.finish()
        status, shown = finish(child)
    assert status == 0
    assert [line.replace(" ", "") for line in screen_of(shown, 40)] == [
        "Wide日本語のテキストがここにありま",
        "すandemoji👍too,together",
        "rightnow.",
    ]


def test_nowordwrap_leaves_lines_to_the_terminal(asker: Cli, server: StreamingServer) -> None:
    child = at_terminal(asker, "--nowordwrap", columns=40)
    with server.request() as request:
        request.start()
        request.say(TEXT)
        request.finish()
        assert finish(child) == (0, TEXT.replace("\n", "\r\n") + "\r\n")


def test_a_resized_terminal_is_followed_within_an_answer(asker: Cli, server: StreamingServer) -> None:
    words = " ".join(f"word{number:02}" for number in range(30))
    child = at_terminal(asker, columns=80)
    with server.request() as request:
        request.start()
        request.say(f"{words}\n")
        child.expect("word29\r\n")
        before = child.before or ""
        child.setwinsize(24, 40)
        request.say(words)
        request.finish()
        status, shown = finish(child)
    assert status == 0
    assert max(map(len, before.split("\r\n"))) > 40
    assert max(len(line.rstrip()) for line in shown.split("\r\n")) <= 35


def test_thinking_stands_dimmed_before_the_answer(asker: Cli, server: StreamingServer) -> None:
    child = at_terminal(asker)
    with server.request() as request:
        request.start()
        request.say(thinking="\nLet me ")
        request.say(thinking="think.\n")
        request.say("An answer.")
        request.finish()
        status, shown = finish(child)
    assert status == 0
    assert screen_of(shown, 80) == ["Thinking:", "Let me think.", "(End of thinking.)", "", "An answer."]
    assert re.fullmatch(r"\x1b\[2mThinking:.*\x1b\[0m(\r\n)*An answer\.\r\n", shown, re.DOTALL)


@pytest.mark.parametrize(
    ("environment", "widest"), [({"NO_COLOR": "1"}, 35), ({"TERM": "dumb"}, 1000)], ids=["no-color", "dumb"]
)
def test_a_terminal_that_wants_no_colour_gets_none(
    asker: Cli, server: StreamingServer, environment: dict[str, str], widest: int
) -> None:
    child = at_terminal(asker, columns=40, **environment)
    with server.request() as request:
        request.start()
        for piece in re.findall(r".{1,3}", "I think that this is a long thought. " * 3):
            request.say(thinking=piece)
        request.say("An answer that is longer than the line of forty columns is.")
        request.finish()
        status, shown = finish(child)
    assert status == 0
    assert "\x1b" not in TAKEN_BACK.sub("", shown) if "NO_COLOR" in environment else "\x1b" not in shown
    assert (max(len(line.rstrip()) for line in TAKEN_BACK.sub("", shown).split("\r\n")) > 40) == (widest > 40)


def test_a_sign_of_life_is_shown_until_there_is_something_to_see(asker: Cli, server: StreamingServer) -> None:
    child = at_terminal(asker, "--hidethinking")
    with server.request() as exchange:
        child.expect(SIGN_OF_LIFE)
        exchange.start()
        exchange.say(thinking="a thought")
        child.expect(SIGN_OF_LIFE)
        exchange.say("The answer.")
        child.expect_exact("\r  \r")
        exchange.finish()
        assert finish(child) == (0, "The answer.\r\n")


def test_a_pipe_gets_neither_thinking_nor_wrapped_lines(asker: Cli, server: StreamingServer) -> None:
    with asker.start("run", MODEL, "hi") as process, server.request() as request:
        request.start()
        request.say(thinking="hmm")
        request.say(TEXT)
        request.finish()
        assert process.communicate(timeout=30) == (f"{TEXT}\n", "")


HOSTILE = "a\x1b[2Jb\x1b]0;title\x07c\x9b31md\x1bPq\x1b\\e\x1b_x\x1b\\f\u202eg\rh\x08i\x1b]52;c;ZWNobw==\x1b\\j"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_no_control_sequence_of_a_model_reaches_a_terminal(asker: Cli, server: StreamingServer, size: int) -> None:
    pieces = [HOSTILE[start : start + size] for start in range(0, len(HOSTILE), size)]
    child = at_terminal(asker, NO_COLOR="1")
    with server.request() as request:
        request.start()
        for piece in pieces:
            request.say(thinking=piece)
        for piece in pieces:
            request.say(piece)
        request.say(tool_calls=[{"function": {"name": f"tool{HOSTILE}", "arguments": {HOSTILE: HOSTILE}}}])
        request.say(error=f"broken{HOSTILE}")
        status, shown = finish(child)
    assert status == 8
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", shown)
    assert [line for line in screen_of(shown, 80) if line.startswith("ab")] == ["abcdefghij", "abcdefghij"]
    assert "broke off: brokenabcdefg hij" in shown
    assert "toolabcdefghij(" in shown


def test_no_control_sequence_of_a_model_s_name_reaches_a_terminal(asker: Cli) -> None:
    environment = asker.environment | {"OLLAMA_HOST": "127.0.0.1:9", "TERM": "dumb"}
    for name in (f"{HOSTILE}-cloud", f"{HOSTILE}:local", f"x{HOSTILE}:cloud:local"):
        child = pexpect.spawn(COMMAND, ["run", name, "hi"], env=environment, encoding="utf-8", timeout=30)
        status, shown = finish(child)
        assert status != 0
        assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", shown)


def test_a_pipe_gets_what_the_model_said_unchanged(asker: Cli, server: StreamingServer) -> None:
    said = f"\n\n{HOSTILE}\r\n\tend\u2028\u0085 "
    with (
        subprocess.Popen(
            [COMMAND, "run", MODEL, "hi"], env=asker.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as process,
        server.request() as request,
    ):
        request.start()
        for piece in said:
            request.say(piece)
        request.finish()
        assert process.communicate(timeout=30)[0] == f"{said}\n".encode()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"])
@pytest.mark.parametrize("moment", ["waiting", "thinking", "answering", "word"])
def test_an_interrupted_answer_stays_and_its_stream_is_closed(
    asker: Cli, server: StreamingServer, moment: str, number: signal.Signals, status: int
) -> None:
    child = at_terminal(asker)
    child.logfile_read = StringIO()
    with server.request() as request:
        expected = []
        if moment != "waiting":
            request.start()
            request.say(thinking="A thought")
            expected = ["Thinking:", "A thought"]
            child.expect("A thought")
        if moment in {"answering", "word"}:
            words = "Some words " if moment == "answering" else "Some words of"
            request.say(words)
            expected += ["(End of thinking.)", "", words.strip()]
            child.expect(words)
        if number == signal.SIGINT and moment != "waiting":
            child.sendintr()
        else:
            child.kill(number)
        assert request.client_left()
        ended, _ = finish(child)
    assert ended == status
    shown = child.logfile_read.getvalue().replace("^C", "")
    if moment == "waiting":
        assert not shown
    else:
        assert screen_of(shown, 80) == expected
        assert re.search(r"\r\n(\x1b\[0m)?$", shown)  # what follows has a line of its own
        assert shown.count("\x1b[0m") == 1


def test_ctrl_c_while_it_waits_to_try_again_ends_at_once(asker: Cli, start: Callable[..., Sandbox]) -> None:
    busy = start("POST /api/generate=status:503+retry-after:20")
    child = at_terminal(asker, OLLAMA_CLOUD_BASE_URL=busy.url)
    child.expect("trying again in")
    child.sendintr()
    assert child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=10) == 0
    assert finish(child)[0] == 130
    assert len(busy.requests()) == 1


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="tells by Linux's list of sockets that it is connecting")
def test_ctrl_c_while_connecting_ends_at_once(cli: Cli) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        for client in (first, second):  # the queue of those who want to connect is full with these
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        device = Cli(cli.home, {"OLLAMA_CLOUD_BASE_URL": f"http://127.0.0.1:{port}", "OLLAMA_API_KEY": "key"})
        process = device.start("run", MODEL, "hi")
        until(lambda: connecting(port) >= 2, process)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=5) == ("", "")
        assert process.returncode == 130


def connecting(port: int) -> int:
    """How many connections to a port have been asked for and not been answered."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "02" for row in rows)


def test_head_ends_a_huge_answer_quietly(asker: Cli, server: StreamingServer, tmp_path: Path) -> None:
    said = tmp_path / "stderr"
    script = f'"$CLI" run {MODEL} hi 2>{said} | head -n 1; exit "${{PIPESTATUS[0]}}"'
    with subprocess.Popen(
        ["/bin/bash", "-c", script],
        env={**asker.environment, "CLI": COMMAND},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        with server.request() as request:
            request.start()
            with suppress(BrokenPipeError, ConnectionResetError):
                while True:
                    request.say("a line\n" * 1000)
        assert process.communicate(timeout=30)[0] == "a line\n"
    assert process.returncode == 141
    assert said.read_text() == ""


@pytest.mark.parametrize(("redirection", "status"), [(">/dev/full", 1), (">&-", 0), ("2>&-", 0), ("2>/dev/full", 0)])
def test_a_stream_that_cannot_be_written(asker: Cli, server: StreamingServer, redirection: str, status: int) -> None:
    with subprocess.Popen(
        ["/bin/bash", "-c", f'"$CLI" run {MODEL} hi {redirection}'],
        env={**asker.environment, "CLI": COMMAND},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        with server.request() as request:
            request.start()
            with suppress(OSError):  # a command that cannot write has gone by now
                request.say("a line\n")
                request.finish()
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert out == ("" if redirection.startswith(">") else "a line\n")
    errors = [line for line in err.splitlines() if not line.startswith("  ")]
    assert len(errors) == status
    assert all("No space left on device" in line for line in errors)


LOCALES = {
    "C": {"LC_ALL": "C"},
    "C-as-it-is": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"},
    "io-encoding": {"PYTHONIOENCODING": "latin-1"},
    "none": {"LANG": ""},
}


@pytest.fixture(scope="module")
def latin_1(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A locale whose characters are one byte each, where the system can make it."""
    folder = tmp_path_factory.mktemp("locale")
    subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", str(folder / "de_DE.ISO-8859-1")],
        check=False,
        capture_output=True,
    )
    return {"LOCPATH": str(folder)}


@pytest.mark.parametrize("name", LOCALES)
def test_utf_8_goes_in_and_out_whatever_the_locale_says(
    asker: Cli, server: StreamingServer, name: str, latin_1: dict[str, str]
) -> None:
    environment = asker.environment | LOCALES[name] | latin_1
    with subprocess.Popen(
        [COMMAND, "run", MODEL, "Größe 日本".encode(), "--system", "é👍".encode()],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write("naïve\r\n— ".encode())
        process.stdin.close()
        with server.request() as request:
            request.start()
            request.say("Ünïcödé 👍")
            request.finish()
        out, err = process.stdout.read() if process.stdout else b"", process.stderr.read() if process.stderr else b""
    assert (process.returncode, out.decode(), err) == (0, "Ünïcödé 👍\n", b"")
    assert request.body["prompt"] == "naïve\r\n—  Größe 日本"
    assert request.body["system"] == "é👍"

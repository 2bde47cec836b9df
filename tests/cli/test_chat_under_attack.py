"""What people, terminals and editors do to a chat: it goes on, says what happened, and leaves the terminal in order."""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import threading
import time
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest
from chatting import PNG, SHOW, answer_route, asked, leave, say
from routed_server import routed_server
from support import COMMAND, SECONDS, Cli, make_device
from terminals import Terminal

from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session


def is_unseen(terminal: Terminal) -> bool:
    """Whether the terminal does not show what is typed."""
    return not termios.tcgetattr(terminal.child.child_fd)[3] & termios.ECHO


def until_interruptible(terminal: Terminal) -> None:
    """Wait until Ctrl-C is a signal, and no key of the line's."""
    end = time.monotonic() + SECONDS
    while not termios.tcgetattr(terminal.child.child_fd)[3] & termios.ISIG and time.monotonic() < end:
        time.sleep(0.01)


class Shell(Terminal):
    """A shell at a terminal, with jobs."""

    def __init__(self, cli: Cli, url: str) -> None:
        self.columns = 80
        self.screen = pyte.HistoryScreen(80, 24, history=5000)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = b""
        more = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", "PS1": "$ ", "OLLAMA_HOST": url}
        arguments = ["--norc", "--noprofile", "--noediting", "-i"]
        environment = cli.environment | more
        self.child = pexpect.spawn("bash", arguments, env=environment, dimensions=(24, 80), timeout=SECONDS)


@pytest.mark.parametrize("typed", ["/export ~nobody-here/a.md", "/image ~nobody-here/a.png"])
def test_a_home_that_is_not_there_ends_no_chat(cli: Cli, typed: str) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, typed)
        terminal.until_text("Error: .*nobody-here")
        assert leave(terminal) == 0
    assert "should not" not in terminal.text


def test_thinking_set_to_false_is_told_as_that(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "/set think false")
        terminal.until_text("The model does not think now")
        assert leave(terminal) == 0


def test_nothing_is_counted_in_a_conversation_that_is_forgotten(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "hi")
        terminal.until_text("ok")
        say(terminal, "/tokens")
        terminal.until_text("128 tokens")
        say(terminal, "/clear")
        say(terminal, "/tokens")
        terminal.until_text("Nothing was counted yet")
        assert leave(terminal) == 0


@pytest.mark.parametrize(
    ("editor", "told"),
    [
        ("'unbalanced", "cannot be started"),
        ("/nowhere/editor", "cannot be started"),
        ("rm", "cannot be read"),
        ("false", "with status 1"),
    ],
    ids=["quotes", "missing", "removes", "fails"],
)
def test_an_editor_that_fails_is_told_and_the_line_is_kept(cli: Cli, editor: str, told: str) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url, "OLLAMA_EDITOR": editor})
        terminal.until_prompt()
        terminal.type("begun\x07")
        terminal.until_text(told)
        terminal.until_line(">>> begun")
        terminal.type("\r")
        terminal.until_text("ok")
        assert leave(terminal) == 0
    assert asked(server.requests) == [["begun"]]
    assert "Traceback" not in terminal.text


def test_ctrl_c_in_an_editor_is_the_editors(cli: Cli, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\ntrap 'printf caught > \"$1\"; exit 0' INT\necho editing\nwhile :; do sleep 0.05; done\n"
    )
    editor.chmod(0o700)
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url, "EDITOR": str(editor)})
        terminal.until_prompt()
        terminal.type("\x07")
        terminal.until_text("editing")
        terminal.type("\x03")
        terminal.until_text(">>> caught")
        terminal.type("\x15")
        assert leave(terminal) == 0


def test_an_editor_is_told_when_the_chat_is_ended(cli: Cli, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\ntrap 'echo in order; exit' TERM\necho editing\nwhile :; do sleep 0.05; done\n")
    editor.chmod(0o700)
    (tmp_path / "tmp").mkdir()
    with routed_server([SHOW]) as server:
        environment = {"OLLAMA_HOST": server.url, "EDITOR": str(editor), "TMPDIR": str(tmp_path / "tmp")}
        terminal = Terminal(cli, "run", "tiny", env=environment)
        terminal.until_prompt()
        terminal.type("\x07")
        terminal.until_text("editing")
        terminal.child.kill(signal.SIGTERM)
        assert terminal.end() == 143
    assert "in order" in terminal.text
    assert not list((tmp_path / "tmp").iterdir())


TOLD_WHILE_A_PROGRAM_STARTS = """
import os, signal, subprocess, time

def start(*arguments):
    process_id = start_at_once(*arguments)
    while not os.path.exists(os.environ["READY"]):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    return process_id

start_at_once, subprocess._fork_exec = subprocess._fork_exec, start
"""


def test_an_editor_is_told_too_when_the_chat_is_ended_while_it_starts(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(TOLD_WHILE_A_PROGRAM_STARTS)
    editor = tmp_path / "editor"
    script = "trap 'echo in order; exit' TERM\necho > \"$READY\"\nwhile :; do sleep 0.05; done\n"
    editor.write_text(f"#!/bin/sh\n{script}")
    editor.chmod(0o700)
    with routed_server([SHOW]) as server:
        environment = {"OLLAMA_HOST": server.url, "EDITOR": str(editor), "READY": str(tmp_path / "ready")}
        terminal = Terminal(cli, "run", "tiny", env=environment | {"PYTHONPATH": str(tmp_path)})
        terminal.until_prompt()
        terminal.type("\x07")
        assert terminal.end() == 143
    assert "in order" in terminal.text


WITHOUT_ROOM = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_message_that_no_file_takes_for_the_editor_stays_in_the_line(cli: Cli) -> None:
    with routed_server([SHOW]) as server:
        starting = ("-c", WITHOUT_ROOM, COMMAND)
        terminal = Terminal(cli, *starting, "run", "tiny", env={"OLLAMA_HOST": server.url}, command=sys.executable)
        terminal.until_prompt()
        terminal.type("begun\x07")
        terminal.until_text("No file can be written for the editor")
        terminal.until_line(">>> begun")
        terminal.type("\x15")
        assert leave(terminal) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no jobs")
def test_a_chat_is_suspended_and_goes_on(cli: Cli) -> None:
    with routed_server([SHOW, answer_route(*["word "] * 30, delay=0.1, times=1), answer_route("second")]) as server:
        shell = Shell(cli, server.url)
        shell.until_line("$")
        shell.type(f"{COMMAND} run tiny\r")
        shell.until_prompt()
        shell.type("half\x1a")
        shell.until_text("Stopped(?s:.*)\\$")
        shell.type("fg\r")
        shell.until_line(">>> half")
        shell.type("\r")
        shell.until_text("word word")
        shell.type("\x1a")
        shell.until_text("Stopped(?s:.*)Stopped(?s:.*)\\$")
        shell.type("fg\r")
        shell.until(lambda: len(re.findall("word", shell.text)) > 10, "more of the answer")
        assert is_unseen(shell)
        shell.type("ahead\r")
        shell.until_text("second")
        shell.until_prompt()
        shell.type("\x04")
        shell.until_text(r"second\s+>>>.*\s+\$")
        assert not is_unseen(shell)
        shell.type("exit\r")
        shell.end()
    assert [said[-1] for said in asked(server.requests)] == ["half", "ahead"]


def test_the_history_is_there_for_what_is_typed_ahead(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("slow", delay=0.5, times=1), answer_route("again")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "one")
        terminal.until_text("slow")
        terminal.type("\x1b[A\r")
        terminal.until_text("again")
        assert leave(terminal) == 0
    assert asked(server.requests)[-1][-1] == "one"


def test_a_wrong_name_is_told_however_soon_it_is_known(cli: Cli) -> None:
    unknown = {"method": "POST", "path": "/api/show", "status": 404, "json": {"error": "not found"}}
    with routed_server([unknown]) as server:
        for _ in range(5):
            terminal = Terminal(cli, "run", "no-such:cloud", env={"OLLAMA_HOST": server.url})
            terminal.until_text("There is no model")
            assert leave(terminal) == 0


def test_a_dumb_terminal_gets_no_escape_sequence(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url, "TERM": "dumb", "EDITOR": "true"})
        terminal.until_text(">>>")
        terminal.type("hi\x07")
        terminal.until_text(">>> hi\\s+>>> hi")
        terminal.type("\r")
        terminal.until_text("ok")
        terminal.type("\x03\x04")
        assert terminal.end() == 0
    assert b"\x1b" not in terminal.sent
    assert asked(server.requests) == [["hi"]]


def test_an_empty_line_that_was_left_shows_no_placeholder(cli: Cli) -> None:
    with routed_server([SHOW]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        terminal.until_prompt()
        terminal.type("\x03")
        terminal.until_text("ends the chat")
        assert leave(terminal) == 0
    assert "Write a message" not in terminal.text


def test_a_terminal_that_is_gone_ends_the_chat_as_its_signal_says(cli: Cli) -> None:
    with routed_server([SHOW]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        terminal.until_prompt()
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, terminal.child.child_fd)
        os.close(nothing)
        terminal.child.wait()
    assert terminal.child.exitstatus == 129


@pytest.mark.parametrize(
    ("number", "args"),
    [(signal.SIGTERM, ["run", "tiny", "--keep"]), (signal.SIGHUP, ["chats", "continue"])],
    ids=["SIGTERM", "SIGHUP"],
)
def test_a_signal_in_an_answer_keeps_the_question_and_leaves_the_terminal_in_order(
    cli: Cli, number: signal.Signals, args: list[str]
) -> None:
    archive = Archive(cli.home / "state" / "data" / "chats.sqlite3")
    KeptChat(archive, "tiny", print).keep(Session("tiny", [Message("user", "before"), Message("assistant", "yes")]))
    with routed_server([SHOW, answer_route(*["word "] * 600, delay=0.1)]) as server:
        terminal = Terminal(cli, *args, env={"OLLAMA_HOST": server.url})
        before = termios.tcgetattr(terminal.child.child_fd)
        say(terminal, "why")
        terminal.until_text("word")
        assert termios.tcgetattr(terminal.child.child_fd) != before
        terminal.child.kill(number)
        while terminal.read():
            pass
        assert termios.tcgetattr(terminal.child.child_fd) == before
        assert terminal.end() == 128 + number
    assert b"Traceback" not in terminal.sent
    for mode in (b"\x1b[?25%b", b"\x1b[?2004%b"):
        on, off = terminal.sent.rfind(mode % b"h"), terminal.sent.rfind(mode % b"l")
        assert (on > off) == (mode == b"\x1b[?25%b")
    stored = archive.find().session
    assert stored.messages[-1].content == "why"
    assert stored.waits


TOLD_WHILE_A_KEY_IS_DONE = """
import signal, sys
from prompt_toolkit.completion import DummyCompleter
from prompt_toolkit.history import InMemoryHistory
from ollama_cli.chat.entry import line
from ollama_cli.terminal.ending import end_tidily_when_told
from ollama_cli.terminal.streams import Streams

def goes_on(_):
    signal.raise_signal(int(sys.argv[1]))
    print("[the key was done]", flush=True)

end_tidily_when_told()
line.goes_on = goes_on
line.Line(Streams.standard(), InMemoryHistory(), DummyCompleter(), lambda: False).read()
"""


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_in_the_middle_of_a_key_ends_the_line_after_it(number: signal.Signals, kind: str) -> None:
    command = ["-c", TOLD_WHILE_A_KEY_IS_DONE, str(int(number))]
    environment = {**os.environ, "TERM": kind, "PROMPT_TOOLKIT_NO_CPR": "1"}
    child = pexpect.spawn(sys.executable, command, env=environment, timeout=SECONDS, encoding="utf-8")
    before = termios.tcgetattr(child.child_fd)
    child.expect(">>> ")
    child.send("hi\r")
    child.expect(r"\[the key was done\]")
    child.expect(pexpect.EOF)
    rest = child.before or ""
    assert "Traceback" not in rest
    assert rest.rfind("\x1b[?2004l") >= rest.rfind("\x1b[?2004h")
    assert termios.tcgetattr(child.child_fd) == before
    child.close()
    assert child.exitstatus == 128 + number


def test_a_fault_of_ours_costs_no_conversation(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import ollama_cli.chat.export as faulty\nfaulty.as_markdown = None\n")
    with routed_server([SHOW, answer_route("ok")]) as server:
        environment = {"OLLAMA_HOST": server.url, "PYTHONPATH": str(tmp_path)}
        terminal = Terminal(cli, "--debug", "run", "tiny", env=environment, columns=500)
        say(terminal, "first")
        terminal.until_text("ok")
        say(terminal, f"/export {'x' * 300}")
        terminal.until_text("Error: .* cannot be written: File name too long")
        say(terminal, f"/export {tmp_path / 'chat.md'}")
        terminal.until_text(r"should not \(TypeError\)")
        say(terminal, "second")
        terminal.until_text("ok(?s:.*)ok")
        assert leave(terminal) == 0
    assert asked(server.requests)[-1] == ["first", "ok", "second"]


def test_saving_in_the_cloud_tells_that_a_daemon_is_needed(signed_in: Cli) -> None:
    with routed_server([]) as nobody:
        host = nobody.url
    terminal = Terminal(signed_in, "run", "--cloud", "gpt-oss:120b", env={"OLLAMA_HOST": host}, columns=120)
    say(terminal, "/save mine")
    terminal.until_text("none answers at http(?s:.*)ollama serve")
    assert leave(terminal) == 0


def test_a_message_whose_files_were_not_waited_for_stays_in_the_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    slow = {"method": "POST", "path": "/api/show", "ndjson": [{}], "delay": 30}
    with routed_server([slow]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url}, cwd=tmp_path)
        say(terminal, "what is in ./cat.png")
        terminal.until_line("")
        until_interruptible(terminal)
        terminal.type("\x03")
        terminal.until_text("Nothing was sent")
        terminal.until_line(">>> what is in ./cat.png")
        terminal.type("\x15")
        assert leave(terminal) == 0


def test_no_hostile_name_is_completed(cli: Cli) -> None:
    tags = {"method": "GET", "path": "/api/tags", "json": {"models": [{"name": "evil\x1b[2J\rmodel"}, {"name": "eve"}]}}
    with routed_server([SHOW, tags]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "/list")
        terminal.until_text("evilmodel")
        terminal.until_prompt()
        terminal.type("/load ev\t")
        terminal.until_line(">>> /load eve")
        terminal.type("\x15")
        assert leave(terminal) == 0


def test_what_comes_late_of_a_model_that_is_not_asked_any_more_ends_no_chat(device: Cli) -> None:
    slow, anew = threading.Event(), threading.Event()
    refused = {"status": 401, "json": {"error": "unauthorized"}, "times": 1}
    routes: list[dict[str, Any]] = [
        {"method": "POST", "path": "/api/show", **refused, "held": slow},
        {"method": "POST", "path": "/api/show", "status": 400, "json": {"error": "no"}, "held": anew},
        {"method": "POST", "path": "/api/chat", **refused},
        {"method": "POST", "path": "/api/me", "json": {"name": "somebody"}},
        answer_route("well"),
    ]
    with routed_server(routes) as server:
        make_device(device, server.url)
        terminal = Terminal(device, "run", "gpt-oss:120b-cloud", env={"OLLAMA_CLOUD_BASE_URL": server.url})
        say(terminal, "hi")
        terminal.until_text("Sign in now")
        terminal.type("y\r")
        terminal.until_text("well")
        slow.set()
        say(terminal, "and now?")
        anew.set()
        terminal.until_text("well(?s:.*)well")
        assert leave(terminal) == 0
    assert "Error" not in terminal.text


def test_what_comes_late_of_another_model_shows_nothing_twice(cli: Cli) -> None:
    slow = threading.Event()
    told = {"capabilities": ["completion"], "messages": [{"role": "user", "content": "once upon a time"}]}
    routes: list[dict[str, Any]] = [
        {"method": "POST", "path": "/api/show", "json": told, "held": slow, "times": 1},
        {"method": "POST", "path": "/api/show", "json": told},
        answer_route("well"),
    ]
    with routed_server(routes) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "/load other")
        terminal.until_text("once upon")
        terminal.until_prompt()
        slow.set()
        say(terminal, "hi")
        terminal.until_text("well")
        assert leave(terminal) == 0
    assert terminal.text.count("once upon") == 1


def test_an_answer_that_broke_off_leads_to_asking_again(cli: Cli) -> None:
    cut = {"method": "POST", "path": "/api/chat", "ndjson": [{"message": {"content": "half"}, "done": False}]}
    with routed_server([SHOW, cut]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "hi")
        terminal.until_text("broke off(?s:.*)/retry asks again")
        assert leave(terminal) == 0
    assert "is kept" not in terminal.text


def test_a_chat_that_cannot_be_kept_any_more_tells_so_once(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", "--keep", env={"OLLAMA_HOST": server.url}, columns=200)
        terminal.until_prompt()
        (archive,) = cli.home.rglob("chats.sqlite3")
        archive.write_bytes(b"no archive" * 1000)
        for _ in range(2):
            say(terminal, "hi")
            terminal.until_text("ok")
        terminal.until_text("ok(?s:.*)ok")
        assert leave(terminal) == 0
    assert terminal.text.count("is damaged") == 1

"""The chat at a terminal: what a person types, sees and finds again."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chatting import PNG, SHOW, answer_route, asked, leave, say
from conftest import sign_in
from routed_server import routed_server
from stored_credentials import keep_key
from support import Cli, Sandbox, until
from terminals import Terminal

MODEL = "gpt-oss:120b-cloud"
NOT_THERE: dict[str, Any] = {**SHOW, "status": 404, "json": {"error": "not found"}}


def test_a_chat_in_a_sandbox_of_its_own_signs_in_and_answers(cli: Cli) -> None:
    terminal = Terminal(cli, "--sandbox", "run", MODEL)
    say(terminal, "Why is the sky blue?")
    terminal.until_text("Rayleigh")
    assert leave(terminal) == 0


@pytest.mark.parametrize("sandboxed", [True, False])
def test_a_chat_where_ollama_com_is_every_server_makes_no_model_elsewhere(
    device: Cli, sandbox: Sandbox, sandboxed: bool
) -> None:
    """As with `create`: the server on this machine is not meant then."""
    sign_in(device, sandbox)
    options = ["--sandbox"] if sandboxed else []
    terminal = Terminal(device, *options, "run", "gpt-oss:20b", env={"OLLAMA_HOST": "https://ollama.com"}, columns=120)
    say(terminal, "/save mine")
    terminal.until_text("ollama.com stands in its place here(?s:.*)/export FILE")
    assert "11434" not in terminal.text
    assert leave(terminal) == 0


def test_the_first_prompt_waits_for_no_server(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = start("POST /api/show=stall")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    sign_in(device, sandbox)
    terminal = Terminal(device, "run", MODEL)
    say(terminal, "Why is the sky blue?")
    terminal.until_text("Rayleigh")
    assert leave(terminal) == 0


def test_a_wrong_name_is_told_without_spoiling_the_line(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = start("POST /api/show=delay:1")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    sign_in(device, sandbox)
    terminal = Terminal(device, "run", "no-such-model:cloud")
    terminal.until_prompt()
    terminal.type("half a line")
    terminal.until_text("There is no model")
    terminal.until_line(">>> half a line")
    assert terminal.text.count("half a line") == 1
    terminal.type("\x15/model gpt-oss:120b-cloud\r")
    terminal.until_text("goes on with the conversation")
    assert leave(terminal) == 0


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        ({"status": 429, "json": {"error": "you have reached your hourly usage limit"}}, "limit"),
        ({"status": 500, "json": {"error": "out of memory"}}, "out of memory"),
        ({"status": 403, "json": {"error": "this model requires a subscription"}}, "subscription"),
        ({"ndjson": [{"message": {"content": "half"}, "done": False}, {"error": "stopped"}]}, "stopped"),
        ({"ndjson": [{"message": {"content": "half"}, "done": False}]}, "broke off"),
        ({"ndjson": ["<html>"]}, "no answer"),
        ({"ndjson": [{"message": 3}]}, "no answer"),
    ],
    ids=["limit", "error", "plan", "line", "cut", "page", "type"],
)
def test_nothing_that_fails_ends_the_chat_or_loses_a_message(cli: Cli, failing: dict[str, Any], words: str) -> None:
    failed = {"method": "POST", "path": "/api/chat", **failing, "times": 1}
    with routed_server([SHOW, failed, answer_route("Now ", "it works.")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "my long question")
        terminal.until_text(words)
        say(terminal, "/retry")
        terminal.until_text("Now it works.")
        assert leave(terminal) == 0
    assert asked(server.requests) == [["my long question"], ["my long question"]]


def test_a_daemon_that_comes_up_again(cli: Cli) -> None:
    with routed_server([]) as server:
        port = int(server.url.rpartition(":")[2])
    terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
    say(terminal, "are you there?")
    terminal.until_text("No Ollama server answers")
    with routed_server([SHOW, answer_route("back")], port=port):
        say(terminal, "/retry")
        terminal.until_text("back")
        assert leave(terminal) == 0


def test_a_refused_sign_in_is_offered_and_the_message_is_answered(device: Cli, sandbox: Sandbox) -> None:
    terminal = Terminal(device, "--insecure-storage", "run", MODEL, columns=300)
    terminal.until_text(r"Sign in now\?")
    terminal.type("n\r")
    say(terminal, "Why is the sky blue?")
    terminal.until_text(r"Sign in now\?(?s:.*)Sign in now\?")
    terminal.type("y\r")
    terminal.until_text(r"(?s)Sign in now\?.*Sign in now\?.*http://\S+/connect\?name=\S+&key=[\w-]+")
    link = re.findall(r"http://\S+/connect\?name=\S+&key=[\w-]+", terminal.text)[-1]
    sandbox.decide(link)
    terminal.until_text("Rayleigh")
    assert leave(terminal) == 0


def test_leaving_without_ever_being_signed_in_is_status_4(device: Cli, sandbox: Sandbox) -> None:
    keep_key(device, sandbox.url, "work")
    terminal = Terminal(device, "run", MODEL, "--profile", "work", columns=300)
    terminal.until_text(r"Sign in now\?")
    terminal.type("n\r")
    assert leave(terminal) == 4
    assert terminal.text.count("Run `ollama-cli --profile work signin`.") == 2  # in the chat, and at its end


def test_what_is_typed_ahead_is_kept_and_not_seen_in_the_answer(cli: Cli) -> None:
    with routed_server(
        [SHOW, answer_route("one ", "two ", "three", delay=0.3, times=1), answer_route("Yes.")]
    ) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "count")
        terminal.until_text("one")
        terminal.type("typed ahead\r")
        terminal.until_text("Yes.")
        assert leave(terminal) == 0
    assert "one two three\n" in terminal.text
    assert asked(server.requests)[1][-1] == "typed ahead"


def test_a_sign_of_life_stands_where_an_answer_will_and_leaves_nothing_behind(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("", "3", delay=2)]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "How many?")
        terminal.until(lambda: "\r ⠋\r".encode() in terminal.sent, "a sign of life")
        terminal.type("typed ahead")
        terminal.until_line(">>> typed ahead")
        assert [line for line in terminal.lines if line] == [">>> How many?", "3", ">>> typed ahead"]
        terminal.type("\x15")
        assert leave(terminal) == 0


def test_earlier_lines_can_be_asked_for_ahead(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        terminal.until_prompt()
        terminal.type("one\rtwo\r\x1b[A\x1b[A\r/bye\r")
        assert terminal.end() == 0
    assert [said[-1] for said in asked(server.requests)] == ["one", "two", "one"]


def test_the_keys_of_emacs_edit_the_line(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "before")
        terminal.until_text("ok")
        terminal.until_prompt()
        terminal.type("three gone\x17\x01one \x1bf\x05four\x1bb\x1bb\x1bdtwo three\x0c")
        terminal.until(lambda: str(terminal.screen.display[0]).rstrip() == ">>> one two three four", "a clear screen")
        assert "".join(terminal.screen.display[1:]).strip() == ""
        terminal.type("\x01\x0b\x19\x05\x08!\x02\x04\r")
        terminal.until_text("ok")
        assert leave(terminal) == 0
    assert asked(server.requests)[-1][-1] == "one two three fou"


def test_pasted_slashes_are_text_and_typed_ones_commands(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        terminal.until_prompt()
        terminal.type("\x1b[200~/bye\n/clear\x1b[201~\r")
        terminal.until_text("ok")
        say(terminal, "/frob")
        terminal.until_text("There is no command /frob")
        say(terminal, "/set nothing")
        terminal.until_text("There is no /set nothing")
        say(terminal, "/exit")
        assert terminal.end() == 0
    assert asked(server.requests) == [["/bye\n/clear"]]


def test_undo_and_model_and_tokens(cli: Cli) -> None:
    info = {**SHOW, "json": {"capabilities": [], "model_info": {"tiny.context_length": 1000}}}
    with routed_server([info, answer_route("answer")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "/undo")
        terminal.until_text("Nothing was said yet")
        for typed, seen in [("first", "answer"), ("second", "answer(?s:.*)answer"), ("/undo", "taken back")]:
            say(terminal, typed)
            terminal.until_text(seen)
        say(terminal, "/tokens")
        terminal.until_text(r"128 tokens of 1,000 \(13%\)")
        say(terminal, "/model other")
        terminal.until_text("other goes on")
        say(terminal, "third")
        terminal.until_text("answer(?s:.*)answer(?s:.*)answer")
        assert leave(terminal) == 0
    assert asked(server.requests)[-1] == ["first", "answer", "third"]
    assert [r["json"]["model"] for r in server.requests if r["path"] == "/api/chat"][-1] == "other"


def test_what_the_command_line_says_goes_into_the_chat(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    refused = {"method": "POST", "path": "/api/create", "status": 401, "json": {"error": "unauthorized"}}
    with routed_server([SHOW, answer_route("A cat."), refused]) as server:
        options = ["--image", "cat.png", "--system", "Be brief.", "--option", "seed=7"]
        terminal = Terminal(cli, "run", "tiny", *options, env={"OLLAMA_HOST": server.url}, cwd=tmp_path)
        terminal.until_text(r"cat\.png goes along with your next message \(image\)")
        say(terminal, "What is it?")
        terminal.until_text("A cat")
        say(terminal, "/save mine")
        terminal.until_text(f"The Ollama server at {server.url} is not signed in")
        assert leave(terminal) == 0
    (body,) = [request["json"] for request in server.requests if request["path"] == "/api/chat"]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert (len(body["messages"][1]["images"]), body["options"]) == (1, {"seed": 7})
    (made,) = [request["json"] for request in server.requests if request["path"] == "/api/create"]
    assert (made["from"], made["system"], made["parameters"]) == ("tiny", "Be brief.", {"seed": 7})


def test_a_command_that_lacks_something_says_what(cli: Cli) -> None:
    last = {"message": {"role": "assistant"}, "done": True, "done_reason": "stop", "eval_count": 64}
    route = {"method": "POST", "path": "/api/chat", "ndjson": [{"message": {"content": "long " * 15_000}}, last]}
    with routed_server([SHOW, route]) as server:
        terminal = Terminal(cli, "run", "tiny", "--plain", env={"OLLAMA_HOST": server.url})
        for typed, told in (
            ("/retry", "Nothing was said yet."),
            ("/copy", "There is no answer yet."),
            ("/export", "A file is needed.(?s:.*)/export chat.md"),
            ("/image", "A file is needed.(?s:.*)/image cat.png"),
            ("/load", "One name is needed.(?s:.*)/load MODEL"),
            ("/model", "You talk to tiny, at the Ollama server."),
            ("/set system", "A text is needed."),
            ("/set parameter seed", "seed needs a value."),
            ("/set parameter num_ctx 256", "num_ctx is 256 now."),
            ("/set think high", r"thinks now \(high\)(?s:.*)tiny does not say that it can think."),
            ("/? nothing", "There is no command /nothing."),
            ("hi", "(?s:long long.*>>> )"),
            ("/tokens", r"64 tokens of 256 \(25%\)"),
            ("/copy", "too long for a terminal's clipboard"),
        ):
            say(terminal, typed)
            terminal.until_text(told)
        assert leave(terminal) == 0


def test_answers_are_markdown_unless_that_is_not_wanted(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("A **bold", "** word.")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        say(terminal, "hi")
        terminal.until_text(r"A bold word\.")
        say(terminal, "/set nomarkdown")
        say(terminal, "again")
        terminal.until_text(r"A \*\*bold\*\* word\.")
        assert leave(terminal) == 0
        plain = Terminal(cli, "run", "tiny", "--plain", env={"OLLAMA_HOST": server.url})
        say(plain, "hi")
        plain.until_text(r"A \*\*bold\*\* word\.")
        assert leave(plain) == 0


def test_what_is_set_is_seen_in_the_next_answer(cli: Cli) -> None:
    said = "The quick brown fox jumps over a lazy dog, again."
    chunks = [
        {"message": {"role": "assistant", **part}, "done": False} for part in ({"thinking": "Hm."}, {"content": said})
    ]
    last = {"message": {"role": "assistant"}, "done": True, "done_reason": "length", "eval_count": 28}
    route = {"method": "POST", "path": "/api/chat", "ndjson": [*chunks, last]}
    with routed_server([SHOW, route]) as server:
        terminal = Terminal(cli, "run", "tiny", "--hidethinking", env={"OLLAMA_HOST": server.url}, columns=40)

        def answer_after(*settings: str) -> str:
            for typed in settings:
                say(terminal, typed)
            terminal.until_prompt()
            before = terminal.text.count(">>> go\n")
            say(terminal, "go")
            terminal.until(lambda: terminal.text.count(">>> go\n") > before, "the answer")
            terminal.until_prompt()
            return terminal.text.rpartition(">>> go\n")[2]

        first = answer_after()
        assert "jumps over a\nlazy dog" in first
        assert "Hm." not in first
        assert "The answer stops where" in first
        assert "eval count" not in first
        verbose = answer_after("/set nowordwrap", "/set verbose")
        assert "over a lazy do\ng, again" in verbose
        assert re.search(r"eval count: +28 token", verbose)
        again = answer_after("/set wordwrap", "/set quiet")
        assert "jumps over a\nlazy dog" in again
        assert "eval count" not in again
        assert leave(terminal) == 0


def test_what_is_known_of_the_model_is_shown(cli: Cli) -> None:
    told = {"license": "Do no harm.", "modelfile": "FROM tiny", "template": "{{ .Prompt }}", "system": "Be brief."}
    show = {**SHOW, "json": {**SHOW["json"], **told, "parameters": "temperature 1"}}
    with routed_server([show]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        for name, text in told.items():
            say(terminal, f"/show {name}")
            terminal.until_text(re.escape(f">>> /show {name}\n{text}\n"))
        say(terminal, "/set parameter seed 7")
        say(terminal, "/show parameters")
        terminal.until_text(r"Of the model:\n  temperature 1\n\nSet by you:\n  seed +7\n")
        say(terminal, "/set system Be long.")
        say(terminal, "/show system")
        terminal.until_text(r"/show system\nBe long\.\n")
        say(terminal, "/help set")
        terminal.until_text("remember nothing")
        assert leave(terminal) == 0


def test_copy_export_and_image(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    with routed_server([SHOW, answer_route("A **cat**.")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url}, cwd=tmp_path)
        say(terminal, "/image nowhere.png")
        terminal.until_text("cannot be read")
        say(terminal, "/image cat.png")
        terminal.until_text("goes along")
        say(terminal, "What is it?")
        terminal.until_text("cat")
        say(terminal, "/copy")
        terminal.until_text("asked to copy")
        for file in ("chat.md", "chat.json"):
            say(terminal, f"/export {file}")
            terminal.until_text(f"is in {file}")
        say(terminal, "/export chat.md")
        terminal.until_text("is there already")
        assert leave(terminal) == 0
    assert b"\x1b]52;c;" + base64.b64encode(b"A **cat**.") + b"\a" in terminal.sent
    (body,) = [request["json"] for request in server.requests if request["path"] == "/api/chat"]
    assert base64.b64decode(body["messages"][0]["images"][0]) == PNG
    assert "A **cat**." in (tmp_path / "chat.md").read_text()
    assert json.loads((tmp_path / "chat.json").read_text())["messages"][1]["content"] == "A **cat**."


def test_a_message_written_in_an_editor(cli: Cli, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "%s\\nand more" "$(cat "$1")" > "$1.new" && mv "$1.new" "$1"\n')
    editor.chmod(0o700)
    with routed_server([SHOW, answer_route("ok")]) as server:
        env = {"OLLAMA_HOST": server.url, "OLLAMA_EDITOR": str(editor), "EDITOR": "false"}
        terminal = Terminal(cli, "run", "tiny", env=env)
        terminal.until_prompt()
        terminal.type("begun\x07")
        terminal.until_text("and more")
        terminal.type("\r")
        terminal.until_text("ok")
        assert leave(terminal) == 0
    assert asked(server.requests) == [["begun\nand more"]]


@pytest.mark.parametrize("remembers", [True, False])
def test_lines_are_found_again_in_the_next_chat_unless_that_is_not_wanted(cli: Cli, *, remembers: bool) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        env = {"OLLAMA_HOST": server.url} | ({} if remembers else {"OLLAMA_NOHISTORY": "1"})
        first = Terminal(cli, "run", "tiny", env=env)
        say(first, "remember me")
        first.until_text("ok")
        assert leave(first) == 0
        second = Terminal(cli, "run", "tiny", env=env)
        second.until_prompt()
        second.type("\x12remember")
        second.until_text("search(?s:.*)remember")
        second.type("\r")
        if remembers:
            second.until_line(">>> remember me")
            second.type("\r")
            second.until_text("ok")
        assert leave(second) == 0
    files = [path for path in cli.home.rglob("chat_history") if path.is_file()]
    assert len(files) == remembers
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert asked(server.requests)[1:] == ([["remember me"]] if remembers else [])


def test_tab_knows_the_clouds_models(signed_in: Cli, sandbox: Sandbox) -> None:
    terminal = Terminal(signed_in, "run", MODEL)
    say(terminal, "Why is the sky blue?")
    terminal.until_text("Rayleigh")
    until(lambda: any(request["target"] == "/api/tags" for request in sandbox.requests()))
    say(terminal, "/show license")
    terminal.until_text("No licence")
    terminal.until_prompt()
    terminal.type("/model qwen3-vl\t")
    terminal.until_line(">>> /model qwen3-vl:235b-cloud")
    terminal.type("\x15")
    say(terminal, "/list gpt-oss:2")
    terminal.until_text("(?m)^gpt-oss:20b-cloud ")  # the name that /model takes
    terminal.until_prompt()
    terminal.type("/model gpt-oss:20b\t")
    terminal.until_line(">>> /model gpt-oss:20b-cloud")
    terminal.type("\x15")
    assert leave(terminal) == 0
    assert [r["headers"].get("authorization") for r in sandbox.requests() if r["target"] == "/api/tags"] == [None]


def test_tab_completes_commands_models_and_files(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(PNG)
    tags = {"method": "GET", "path": "/api/tags", "json": {"models": [{"name": "gemma:2b"}, {"name": "tiny"}]}}
    with routed_server([SHOW, tags]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url}, cwd=tmp_path)
        say(terminal, "/list")
        terminal.until_text("gemma:2b")
        for typed, completed in [("/ret", "/retry"), ("/set nowo", "/set nowordwrap"), ("/load gem", "/load gemma:2b")]:
            terminal.until_prompt()
            terminal.type(f"{typed}\t")
            terminal.until_line(f">>> {completed}")
            terminal.type("\x15")
        terminal.until_prompt()
        terminal.type("/image pic\t")
        terminal.until_line(">>> /image picture.png")
        terminal.type("\x15")
        assert leave(terminal) == 0


def test_tab_knows_models_that_were_seen_before_the_server_has_told(cli: Cli) -> None:
    copy = {"method": "POST", "path": "/api/copy", "json": {}}
    slow = {"method": "GET", "path": "/api/tags", "json": {"models": []}, "delay": 60}
    with routed_server([SHOW, copy, slow]) as server:
        assert cli("cp", "tiny", "gemma:2b", env={"OLLAMA_HOST": server.url}).returncode == 0
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        terminal.until_prompt()
        until(lambda: any(request["path"] == "/api/tags" for request in server.requests))
        terminal.type("/load gem\t")
        terminal.until_line(">>> /load gemma:2b")
        terminal.type("\x15")
        assert leave(terminal) == 0


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_screens_of_every_width(cli: Cli, columns: int) -> None:
    answer = "The quick brown 狐 jumps over the lazy 犬 \U0001f98a and runs on through the wood, as far as it can."
    with routed_server([SHOW, answer_route(*re.findall(r"\S+\s*", answer))]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url}, columns=columns)
        say(terminal, "Erzähl \U0001f98a 狐")
        terminal.until_text("can")
        say(terminal, "/?")
        terminal.until_text("shortcuts")
        assert leave(terminal) == 0
    words = " ".join(terminal.text.split())  # one that was broken at the edge would be two
    assert f">>> Erzähl \U0001f98a 狐 {answer} >>> /?" in words
    assert "/image FILE send an image or a sound with your next message /copy" in words


@pytest.mark.parametrize(("before", "after"), [(100, 40), (40, 100)])
def test_a_window_that_changes_within_an_answer_leaves_no_rubbish(cli: Cli, before: int, after: int) -> None:
    pieces = ["A list of **three things**", ":\n\n- one is *short*", " and\n- two is `also`", " short\n- three "]
    last = "is an animal \U0001f98a that runs through the wood, as far as it can, and then goes home to sleep."
    with routed_server([SHOW, answer_route(*pieces, last, delay=1)]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url}, columns=before)
        say(terminal, "go")
        terminal.until_text("three things")
        terminal.resize(after)
        terminal.until_text("sleep")
        assert leave(terminal) == 0
    # The text goes on in a new row, wherever it was; nothing is shown twice, and no mark is left.
    shown = f"go A list of three things: - one is short and - two is also short - three {last} >>>"
    assert shown.replace(" ", "") in "".join(terminal.text.split())


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=["dumb", "plain"])
def test_terminals_without_colour(cli: Cli, env: dict[str, str]) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url, **env})
        terminal.until_text(">>>")
        terminal.type("hi\r")
        terminal.until_text("ok")
        terminal.type("\x04")
        assert terminal.end() == 0
    assert not re.search(rb"\x1b\[[0-9;]*[349][0-7]m", terminal.sent)


def test_hostile_names_and_answers_do_not_reach_the_terminal(cli: Cli) -> None:
    evil = "\x1b]0;owned\a\x1b[2J\u202e"
    loaded = {"capabilities": [], "messages": [{"role": "user", "content": f"loaded{evil}"}], "license": f"L{evil}"}
    tags = {"method": "GET", "path": "/api/tags", "json": {"models": [{"name": f"m{evil}"}]}}
    with routed_server([{**SHOW, "json": loaded}, tags, answer_route(f"an{evil}swer")]) as server:
        terminal = Terminal(cli, "run", "tiny", env={"OLLAMA_HOST": server.url})
        terminal.until_text("loaded")
        for typed in ("hi", "/list", "/show license", "/show info", "/load \x1b[31m", "/set parameter stop \u202ea"):
            say(terminal, typed)
        assert leave(terminal) == 0
    assert b"owned" not in terminal.sent
    assert b"\x1b[2J" not in terminal.sent
    assert "answer" in terminal.text


def test_a_chat_that_was_killed_in_an_answer_goes_on(cli: Cli) -> None:
    with routed_server(
        [SHOW, answer_route("The **one**", times=1), answer_route("half ", "an ", "answer", delay=5)]
    ) as server:
        env = {"OLLAMA_HOST": server.url}
        terminal = Terminal(cli, "run", "tiny", "--keep", env=env)
        say(terminal, "first question")
        terminal.until_text("one")
        say(terminal, "second question")
        terminal.until_text("half")
        os.kill(terminal.child.pid, signal.SIGKILL)
    with routed_server([SHOW, answer_route("whole")]) as server:
        again = Terminal(cli, "run", "tiny", "--continue", env={"OLLAMA_HOST": server.url})
        again.until_text("second question")
        again.until_text("has no answer yet")
        assert again.text.startswith("The one\n")  # laid out as it was
        say(again, "/retry")
        again.until_text("whole")
        assert leave(again) == 0
        last = Terminal(cli, "chats", "continue", "1", env={"OLLAMA_HOST": server.url})
        last.until_text("whole")
        say(last, "third question")
        last.until_text("whole(?s:.*)whole")
        assert leave(last) == 0
    assert asked(server.requests)[0] == ["first question", "The **one**", "second question"]
    assert asked(server.requests)[1] == ["first question", "The **one**", "second question", "whole", "third question"]


def test_a_kept_chat_takes_on_another_model_and_ends_where_another_begins(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        terminal = Terminal(cli, "run", "tiny", "--keep", env={"OLLAMA_HOST": server.url})
        for said, leads_to in (
            ("one", "/model other"),
            ("two", "/clear"),
            ("three", "/load third"),
            ("four", "/tokens"),
        ):
            say(terminal, said)
            terminal.until_text(f"{said}\nok")
            say(terminal, leads_to)
        assert leave(terminal) == 0
    kept = json.loads(cli("chats", "list", "--json").stdout)
    assert [(chat["model"], chat["title"], chat["messages"]) for chat in reversed(kept)] == [
        ("other", "one", 4),
        ("other", "three", 2),
        ("third", "four", 2),
    ]


def test_nothing_is_kept_unasked_or_where_history_is_off(cli: Cli) -> None:
    with routed_server([SHOW, answer_route("ok")]) as server:
        env = {"OLLAMA_HOST": server.url}
        for options, more in [([], {}), (["--keep"], {"OLLAMA_NOHISTORY": "1"})]:
            terminal = Terminal(cli, "run", "tiny", *options, env=env | more)
            say(terminal, "not kept")
            terminal.until_text("ok")
            assert leave(terminal) == 0
        terminal = Terminal(cli, "run", "tiny", env=env | {"OLLAMA_CLI_KEEP": "1"})
        say(terminal, "/set nohistory")
        say(terminal, "not kept either")
        terminal.until_text("ok")
        assert leave(terminal) == 0
    assert json.loads(cli("chats", "list", "--json").stdout) == []


@pytest.mark.parametrize("args", [("--keep", "hi"), ("--continue", "hi"), ("--keep",), ("--continue=9",)], ids=" ".join)
def test_what_only_a_chat_has_is_refused_elsewhere(cli: Cli, args: tuple[str, ...]) -> None:
    done = cli("run", "tiny", *args, env={"OLLAMA_HOST": "127.0.0.1:1"})
    assert done.returncode == 2, done.stderr

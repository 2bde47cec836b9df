"""Tab in bash, zsh and fish themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from shells import SHELLS, Shell
from support import COMMAND, Cli

from ollama_cli.chat.kept.archive import Archive

MODELS = ["gpt-oss:20b", "gpt-oss:120b-cloud", "gemma3:4b-it", "tiny", "hf.co/you/model:Q4"]
SERVER = "http://127.0.0.1:1"


@pytest.fixture(params=SHELLS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def remember(cli: Cli, *names: str) -> None:
    """Have the program remember that a server has these models, and not ask it."""
    cache = cli.home / "state" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    later = int(time.time()) + 5
    known = {"asked_at": later - 5, "listed_at": later, "names": names}
    (cache / "models.json").write_text(json.dumps({"servers": {SERVER: known}}))


@contextmanager
def running(name: str, cli: Cli, *before: str, sourced: bool = False) -> Iterator[Shell]:
    strict = {"bash": ["set -u"], "zsh": ["setopt nounset"]}.get(name, [])
    env = {"OLLAMA_HOST": SERVER}
    shell = Shell(name, cli, before=[*strict, *before], env=env, sourced=sourced)
    try:
        yield shell
    finally:
        shell.end()


def test_tab_completes(name: str, cli: Cli) -> None:
    remember(cli, *MODELS)
    (cli.home / "a picture.png").write_text("")
    (cli.home / "body.json").write_text("")
    (cli.home / "parts").mkdir()
    (cli.home / "parts" / "one.json").write_text("")
    completed = {
        "ollama-cli run gpt": "ollama-cli run gpt-oss:",
        "ollama-cli run gpt-oss:1": "ollama-cli run gpt-oss:120b-cloud ",
        'ollama-cli run "gpt-oss:2': 'ollama-cli run "gpt-oss:20b" ',
        "ollama-cli run 'gem": "ollama-cli run 'gemma3:4b-it' ",
        "ollama-cli run -- gem": "ollama-cli run -- gemma3:4b-it ",
        "ollama-cli rm tiny hf": "ollama-cli rm tiny hf.co/you/model:Q4 ",
        "ollama-cli --sandbox run gpt": "ollama-cli --sandbox run gpt-oss:",
        "ollama-cli --sandbox run gpt-oss:1": "ollama-cli --sandbox run gpt-oss:120b-cloud ",
        "true; A=1 ollama-cli run gem": "true; A=1 ollama-cli run gemma3:4b-it ",
        "ollama-cli ru": "ollama-cli run ",
        "ollama-cli nothing ": "ollama-cli nothing ",
        "ollama-cli run --thi": "ollama-cli run --think",
        "ollama-cli run tiny --think=h": "ollama-cli run tiny --think=high ",
        "ollama-cli run tiny --option tempe": "ollama-cli run tiny --option temperature=",
        "ollama-cli chats export --format m": "ollama-cli chats export --format markdown ",
        "ollama-cli run --image a": "ollama-cli run --image a\\ picture.png ",
        "ollama-cli run --image=a": "ollama-cli run --image=a\\ picture.png ",
        "ollama-cli run tiny what is in a": "ollama-cli run tiny what is in a\\ picture.png ",
        "ollama-cli status a": "ollama-cli status a",
        "ollama-cli api POST /x -d @bo": "ollama-cli api POST /x -d @body.json ",
        "ollama-cli api POST /x --data=@bo": "ollama-cli api POST /x --data=@body.json ",
        "ollama-cli api POST /x -F a=@bo": "ollama-cli api POST /x -F a=@body.json ",
        "ollama-cli api POST /x -d @pa": "ollama-cli api POST /x -d @parts/",
        "ollama-cli api POST /x -d @parts/o": "ollama-cli api POST /x -d @parts/one.json ",
    }
    with running(name, cli) as shell:
        assert {typed: shell.press(f"{typed}\t") for typed in completed} == completed
        # In the middle of a word; bash takes what stands before the cursor for the word, as it does everywhere.
        middle = shell.press("ollama-cli run gexx\x1b[D\x1b[D\t")
        assert middle == f"ollama-cli run {'gemma3:4b-itxx' if name == 'bash' else 'gexx'}"


def test_tab_completes_by_path_and_by_another_name(name: str, cli: Cli) -> None:
    remember(cli, *MODELS)
    (cli.home / "my bin").mkdir()
    listener = cli.home / "my bin" / "ollama-cli"
    listener.write_text(f'#!/bin/sh\necho "$*" >>"$HOME/arguments"\nexec {COMMAND} "$@"\n')
    listener.chmod(0o755)
    more = ["complete -o default -F _ollama_cli_completion oc"] if name == "bash" else []
    with running(name, cli, "alias oc=ollama-cli", sourced=True) as shell:
        for line in more:
            shell.do(line)
        assert shell.press("oc run gem\t") == "oc run gemma3:4b-it "
        assert shell.press(f"{COMMAND} run gem\t") == f"{COMMAND} run gemma3:4b-it "
        shell.do("PATH=/nowhere" if name != "fish" else "set PATH /nowhere")
        assert shell.press("~/my\\ bin/ollama-cli run gem\t") == "~/my\\ bin/ollama-cli run gemma3:4b-it "
        assert shell.press("ollama-cli run gem\t") == "ollama-cli run gem"
    assert "ommand" not in shell.seen.rpartition("my\\ bin")[2]  # nobody is told of a command that is not found
    # What is typed is on no command line, where others could read it.
    assert (cli.home / "arguments").read_text() == f"__complete {name}\n"


def test_nothing_that_is_completed_is_run(name: str, cli: Cli) -> None:
    hostile = "x$(touch pwned)`touch pwned`;touch pwned;'\"\\ \x1b]0;pwned\x07"
    remember(cli, "x$(touch pwned)", "x`touch pwned`", "x;touch pwned", "x\ntouch pwned\n", "x'\"", "-x", "x y", "xyz")
    (cli.home / "f$(touch pwned)`touch pwned`;touch pwned'\".png").write_text("")
    archive = Archive(cli.home / "state" / "data" / "chats.sqlite3")
    with archive.database.writing() as connection:
        for number in (11, 12):
            row = (number, hostile, hostile, "{}", 1, 1, number)
            connection.execute("INSERT INTO chats VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    with running(name, cli) as shell:
        assert shell.press("ollama-cli run x\t") == "ollama-cli run xyz "
        listed = shell.press("ollama-cli chats show \t\t")  # the second lists them, or takes the first
        assert listed.strip() in {f"ollama-cli chats show {number}" for number in (1, 11, 12)}
        line = shell.press("ollama-cli run --image f\t")
        assert "png" in line
        shell.do(line.replace("ollama-cli run --image", "printf '%s\\n'"))
        line = shell.press("ollama-cli api POST /x -d @f\t")
        assert ("png" in line) == (name != "bash")  # which offers there what needs no quotes
        shell.do(line.replace("ollama-cli api POST /x -d", "printf '%s\\n'"))
        shell.press("ollama-cli keys show $(touch pwned) \t")
        shell.press("ollama-cli run `touch pwned` \t")
    assert not list(cli.home.rglob("pwned"))
    assert "\x1b]0;pwned" not in shell.seen

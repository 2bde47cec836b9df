"""What docs/scripting.md lists is what commands print with ``--json``, and each command that has it is on a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import sign_in
from documentation import ROOT
from stub_server import stub_server
from support import Cli, Sandbox

from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session

PAGE = (ROOT / "docs" / "scripting.md").read_text(encoding="utf-8")
(SECTION,) = re.findall(r"\n## What each command prints as JSON\n(.*?)\n## ", PAGE, re.DOTALL)
ROWS = {
    name: re.findall(r"`(\w+)`", fields)
    for name, fields in re.findall(r"^\| (`.*?) \| (.*?) \| .*\|$", SECTION, re.MULTILINE)
}

COMMANDS = {
    "`run`": "run gpt-oss:20b-cloud hi",
    "`run`, an embedding": "run embeddinggemma:300m-cloud hi",
    "`signin`": "signin",
    "`signin`, not approved": "signin --no-wait --profile new",
    "`signin --token`": "signin --token --host {server}",
    "`signout`": "signout",
    "`status`": "status",
    "`search`": "search sky",
    "`fetch`": "fetch https://example.com",
    "`chats list`": "chats list",
    "`chats search`": "chats search sky",
    "`chats show`": "chats show",
    "`chats remove`": "chats remove --yes 1",
}

pytestmark = pytest.mark.forked


def test_every_row_is_tried_and_every_command_has_a_row_or_another_page() -> None:
    assert {*ROWS} - {"`sandbox`"} == {*COMMANDS}
    commands = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8").split("\n## ollama-cli ")[1:]
    with_json = [text.partition("\n")[0] for text in commands if re.search(r"^ *--json ", text, re.MULTILINE)]
    named = {name.partition("`, ")[0].strip("`") for name in ROWS}
    models = {"list", "show", "ps", "stop", "cp", "create", "pull", "push", "rm"}
    elsewhere = {
        "keys": "keys.md",
        "profile": "profiles.md",
        "serve": "serve.md",
        "doctor": "doctor.md",
        "api": "api.md",
    }
    elsewhere |= dict.fromkeys(models, "models.md")
    for command in with_json:
        page = elsewhere.get(command.partition(" ")[0])
        assert command in named or (page is not None and f"]({page}#" in SECTION), command


@pytest.mark.parametrize("row", COMMANDS)
def test_a_command_prints_these_fields(device: Cli, sandbox: Sandbox, row: str) -> None:
    sign_in(device, sandbox)
    archive = Archive(Path(device.environment["OLLAMA_CLI_HOME"], "data", "chats.sqlite3"))
    session = Session("gpt-oss:20b", messages=[Message("user", "Is the sky blue?"), Message("assistant", "Yes.")])
    KeptChat(archive, "gpt-oss:20b-cloud", print).keep(session)
    with stub_server(lambda _: (200, {}, b'{"models": []}')) as server:
        line = COMMANDS[row].format(server=server.url)
        done = device("--insecure-storage", *line.split(), "--json", stdin="a-token")
    told = json.loads(done.stdout)
    assert sorted(told[0] if isinstance(told, list) else told) == sorted(ROWS[row]), done.stderr

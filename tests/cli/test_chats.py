"""Kept chats: listed, shown, searched, exported and removed; and their file damaged, shared, cut off in a write."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import Cli
from terminals import finish, pexpect_child

from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.database import Database
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session
from ollama_cli.errors import ArchiveError

MODEL = "gpt-oss:120b-cloud"


def archive_of(cli: Cli, *folders: str) -> Archive:
    return Archive(Path(cli.environment["OLLAMA_CLI_HOME"]).joinpath("data", *folders, "chats.sqlite3"))


def keep(archive: Archive, *messages: Message, system: str = "") -> None:
    session = Session("gpt-oss:120b", messages=list(messages), system=system)
    KeptChat(archive, MODEL, print).keep(session)


@pytest.fixture
def archive(cli: Cli) -> Archive:
    """Two kept chats, 1 about the sky and 2 about the sea."""
    archive = archive_of(cli)
    keep(archive, Message("user", "Why is the sky blue?"), Message("assistant", "Because of *scattering*."))
    keep(
        archive,
        Message("system", "Be terse."),
        Message("user", "Is the sea blue too?\nSay yes or no.", images=("aGk=",)),
        Message("assistant", "\x1b]0;owned\x07Yes.\n\n- It **is**.", thinking="Hm."),
        system="Be terse.",
    )
    return archive


def error_of(stderr: str) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(stderr.splitlines()[-1])["error"]
    return error


# list, show


def test_list_tells_the_last_changed_first(cli: Cli, archive: Archive) -> None:
    done = cli("chats", "list")
    headings, *rows = done.stdout.splitlines()
    assert re.split(r" {4,}", headings) == ["ID", "CHANGED", "MESSAGES", "MODEL", "TITLE"]
    cells = [re.split(r" {2,}", row) for row in rows]
    assert [[cell for index, cell in enumerate(row) if index != 1] for row in cells] == [
        ["2", "3", MODEL, "Is the sea blue too?"],
        ["1", "2", MODEL, "Why is the sky blue?"],
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", row[1]) for row in cells)
    listed = json.loads(cli("chats", "list", "--json").stdout)
    assert [chat["id"] for chat in listed] == [2, 1]
    assert set(listed[0]) == {"id", "title", "model", "created", "changed", "messages"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", listed[0]["created"])


@pytest.mark.parametrize("command", [["list"], ["search", "sky"]], ids=" ".join)
def test_without_a_kept_chat_nothing_is_made(cli: Cli, command: list[str]) -> None:
    done = cli("chats", *command)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "No" in done.stderr
    assert cli("chats", *command, "--json").stdout == "[]\n"
    assert not (cli.home / "state").exists()


def test_the_empty_list_says_how_to_keep_a_chat(cli: Cli) -> None:
    assert "--keep" in cli("chats", "list").stderr
    shown = cli("chats", "show")
    assert (shown.returncode, "--keep" in shown.stderr) == (2, True)
    in_sandbox = cli("--sandbox", "chats", "list").stderr
    assert "`ollama-cli --sandbox run MODEL --keep`" in in_sandbox


def test_show_prints_what_was_said_and_nothing_that_drives_a_terminal(cli: Cli, archive: Archive) -> None:
    done = cli("chats", "show")
    assert done.stdout.split("\n\n", 1)[1] == (
        "(system) Be terse.\n\n"
        ">>> Is the sea blue too?\n... Say yes or no.\n(1 file went along)\n\n"
        "Yes.\n\n- It **is**.\n"
    )
    assert cli("chats", "show", "2").stdout == done.stdout
    assert ">>> Why is the sky blue?" in cli("chats", "show", "1").stdout
    shown = json.loads(cli("chats", "show", "2", "--json").stdout)
    assert shown["messages"][2]["thinking"] == "Hm."


@pytest.mark.parametrize(("command", "unknown"), [("show", "x"), ("export", "3"), ("remove", "3")])
def test_an_unknown_chat_is_told_with_the_way_to_the_list(
    cli: Cli, archive: Archive, command: str, unknown: str
) -> None:
    done = cli("chats", command, *(["--yes"] if command == "remove" else []), unknown)
    assert (done.returncode, done.stdout) == (2, "")
    assert "chats list" in done.stderr


# search


def test_search_shows_where_all_words_were_said(cli: Cli, archive: Archive) -> None:
    done = cli("chats", "search", "BLUE", "sea")
    assert [re.split(r" {2,}", row)[2:] for row in done.stdout.splitlines()[1:]] == [
        ["1", "Is the sea blue too? Say yes or no."]
    ]
    assert len(cli("chats", "search", "blue").stdout.splitlines()) == 3
    assert "Be terse" not in cli("chats", "search", "is the sky").stdout
    found = json.loads(cli("chats", "search", "scattering", "--json").stdout)
    assert [(chat["id"], chat["found"]) for chat in found] == [
        (1, [{"position": 2, "role": "assistant", "snippet": "Because of *scattering*."}])
    ]


def test_what_is_found_cannot_drive_the_terminal(cli: Cli, archive: Archive) -> None:
    done = cli("chats", "search", "owned")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


@pytest.mark.parametrize(("words", "found"), [("*", [2, 1]), ("' OR 1=1 --", [])])
def test_no_character_has_a_meaning_of_its_own(cli: Cli, archive: Archive, words: str, found: list[int]) -> None:
    done = cli("chats", "search", "--json", "--", words)
    assert (done.returncode, [chat["id"] for chat in json.loads(done.stdout)]) == (0, found)


def test_an_empty_search_is_refused(cli: Cli, archive: Archive) -> None:
    assert cli("chats", "search", " ").returncode == 2


# export


def test_export_writes_markdown_or_json(cli: Cli, archive: Archive, tmp_path: Path) -> None:
    markdown = cli("chats", "export", "1").stdout
    assert markdown.startswith("# Why is the sky blue?\n")
    assert markdown.endswith("## You\n\nWhy is the sky blue?\n\n## Model\n\nBecause of *scattering*.\n")
    file = tmp_path / "chat.json"
    done = cli("chats", "export", "2", "--format", "json", "-o", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    exported = json.loads(file.read_text(encoding="utf-8"))
    assert exported == json.loads(cli("chats", "show", "2", "--json").stdout)
    assert exported["messages"][1]["images"] == ["aGk="]
    assert exported["messages"][2]["content"].startswith("\x1b]0;owned")


def test_a_terminal_gets_an_export_without_control_sequences(cli: Cli, archive: Archive) -> None:
    status, shown = finish(pexpect_child(cli, "chats", "export", "2"))
    assert status == 0
    assert "Yes." in shown
    assert "owned" not in shown


def test_an_export_that_cannot_be_written_is_told(cli: Cli, archive: Archive, tmp_path: Path) -> None:
    assert cli("chats", "export", "1", "-o", str(tmp_path / "no" / "folder")).returncode == 2


# remove


def test_remove_takes_chats_away_and_what_they_said_out_of_the_file(cli: Cli, archive: Archive) -> None:
    done = cli("chats", "remove", "1", "--yes", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"removed": [1]})
    assert [chat.id for chat in archive.chats()] == [2]
    assert b"scattering" not in archive.database.path.read_bytes()
    assert cli("chats", "remove", "--all", "--yes").returncode == 0
    assert archive.chats() == []
    keep(archive, Message("user", "again"))
    assert [chat.id for chat in archive.chats()] == [3]


def test_remove_asks_at_a_terminal(cli: Cli, archive: Archive) -> None:
    for answer, status, left in (("n", 1, 2), ("y", 0, 0)):
        child = pexpect_child(cli, "chats", "remove", "1", "2", "--json")
        child.expect(r"Remove 2 chats.*: ")
        child.sendline(answer)
        ended, shown = finish(child)
        assert (ended, len(archive.chats())) == (status, left)
        told = json.loads(shown.strip().splitlines()[-1])
        assert told == {"removed": [1, 2]} if answer == "y" else told["error"]["code"] == "declined"


@pytest.mark.parametrize(
    "args", [["1"], [], ["1", "--all", "--yes"], ["1", "7", "--yes"]], ids=["no yes", "no id", "all and one", "unknown"]
)
def test_remove_does_all_or_nothing(cli: Cli, archive: Archive, args: list[str]) -> None:
    assert cli("chats", "remove", *args).returncode == 2
    assert len(archive.chats()) == 2


def test_remove_of_all_where_there_is_none(cli: Cli) -> None:
    assert cli("chats", "remove", "--all").returncode == 0
    assert not (cli.home / "state").exists()


# the file


def test_the_sandbox_keeps_its_chats_apart(cli: Cli, archive: Archive) -> None:
    keep(archive_of(cli, "sandbox"), Message("user", "in the sandbox"))
    assert [chat["title"] for chat in json.loads(cli("--sandbox", "chats", "list", "--json").stdout)] == [
        "in the sandbox"
    ]
    assert cli("--sandbox", "chats", "remove", "--all", "--yes").returncode == 0
    assert len(archive.chats()) == 2


def test_only_the_owner_can_read_it(cli: Cli, archive: Archive) -> None:
    path = archive.database.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    keep(archive, Message("user", "third"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with archive.database.writing() as connection:
        connection.execute("UPDATE chats SET title = 'x'")
        journal = path.with_name(f"{path.name}-journal")
        assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")


def _without_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE chats RENAME TO mislaid")


def _of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs (x)")


def _scribbled_over(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))


def _no_database(path: Path) -> None:
    path.write_text("These are my notes.\n" * 100)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (_newer, "chats_newer"),
        (_without_a_table, "chats_damaged"),
        (_of_another_program, "chats_damaged"),
        (_scribbled_over, "chats_damaged"),
        (_no_database, "chats_damaged"),
        (_a_folder, "chats_unavailable"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_left_alone(cli: Cli, archive: Archive, damage: Any, code: str) -> None:
    path = archive.database.path
    damage(path)
    before = path.read_bytes() if path.is_file() else None
    for command in (["show", "1"], ["remove", "--all", "--yes"]):
        done = cli("chats", *command, "--json")
        assert (done.returncode, error_of(done.stderr)["code"]) == (1, code), command
        assert str(path) in error_of(done.stderr)["message"]
    with pytest.raises(ArchiveError):
        keep(archive, Message("user", "new"))
    assert (path.read_bytes() if path.is_file() else None) == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE chats SET changed_at = 1e30 WHERE id = 1",
        "UPDATE chats SET settings = '[' WHERE id = 1",
        "UPDATE chats SET settings = '[]' WHERE id = 1",
        "UPDATE messages SET role = 'nobody' WHERE chat = 1",
        "UPDATE messages SET rest = 'null' WHERE chat = 1",
    ],
)
def test_a_chat_that_is_none_is_named_and_can_be_removed(cli: Cli, archive: Archive, change: str) -> None:
    with closing(sqlite3.connect(archive.database.path)) as connection, connection:
        connection.execute(change)
    with pytest.raises(ArchiveError, match=r"Chat 1 in .* is damaged") as raised:
        archive.find(1)
    assert "chats remove 1" in str(raised.value.hint)
    assert archive.find(2).facts.id == 2
    assert cli("chats", "remove", "1", "--yes").returncode == 0
    assert [chat.id for chat in archive.chats()] == [2]


def test_a_folder_that_cannot_be_made_is_told(cli: Cli) -> None:
    cli.home.joinpath("state").write_text("a file in its place")
    with pytest.raises(ArchiveError, match="cannot be written"):
        keep(archive_of(cli), Message("user", "new"))


def test_a_file_that_another_one_writes_to_for_long_is_told(archive: Archive) -> None:
    other = Database(archive.database.path, lock_seconds=0.05)
    with archive.database.writing(), pytest.raises(ArchiveError) as raised, other.writing():
        pass
    assert raised.value.code == "chats_busy"
    with archive.database.writing() as connection:
        connection.execute("UPDATE chats SET title = 'x'")
        assert {chat.title for chat in archive.chats()} == {"Is the sea blue too?", "Why is the sky blue?"}


# processes that write to it

_PREPARED = """
import sys
from pathlib import Path
from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session
from ollama_cli.errors import ArchiveError

archive = Archive(Path(sys.argv[1]))
session = Session("m")
kept = KeptChat(archive, "m", print)
"""


def writer(archive: Archive, body: str) -> subprocess.Popen[str]:
    """Another process that keeps a chat."""
    return subprocess.Popen(
        [sys.executable, "-c", _PREPARED + textwrap.dedent(body), str(archive.database.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_begin_at_once(cli: Cli) -> None:
    archive = archive_of(cli)
    body = """
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(20):
        session.ask(f"question {number}")
        kept.keep(session)
    """
    writers = [writer(archive, body) for _ in range(2)]
    for process in writers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in writers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    for number in (1, 2):
        messages = archive.find(number).session.messages
        assert [message.content for message in messages] == [f"question {number}" for number in range(20)]


def test_a_process_that_is_killed_loses_nothing_that_was_complete(cli: Cli, archive: Archive) -> None:
    killed = writer(
        archive,
        """
        session.ask("complete")
        kept.keep(session)
        with archive.database.writing() as connection:
            connection.execute("INSERT INTO messages VALUES (3, 1, 'assistant', ?, '{}')", ("half " * 1_000_000,))
            connection.execute("UPDATE chats SET title = 'half'")
            print("writing", flush=True)
            sys.stdin.read()
        """,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "writing\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    journal = Path(f"{archive.database.path}-journal")
    assert journal.stat().st_size  # the write had reached the disk
    listed = json.loads(cli("chats", "list", "--json").stdout)
    assert (listed[0]["id"], listed[0]["messages"], listed[0]["title"]) == (3, 1, "complete")
    assert not journal.exists()
    stored = archive.find()
    assert stored.session.waits


def test_a_full_disk_is_told_and_the_chat_is_kept_when_there_is_room(archive: Archive) -> None:
    process = writer(
        archive,
        """
        import resource
        session.ask("one")
        kept.keep(session)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (archive.database.path.stat().st_size, limits[1]))
        session.answer(Message("assistant", "long " * 100_000))
        try:
            kept.keep(session)
        except ArchiveError as error:
            print(error.code)
        print(len(archive.find().session.messages))
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        kept.keep(session)
        print(len(archive.find().session.messages))
        """,
    )
    out, _ = process.communicate(timeout=60)
    assert out.split() == ["chats_unavailable", "1", "2"]

"""The file of kept chats, damaged in any way: what it holds is shown, or it is named as damaged, and left as it is."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import changed, examples, failure_of

from ollama_cli.api.events import ToolCall
from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.export import kept_json, kept_markdown
from ollama_cli.chat.kept.form import settings_json
from ollama_cli.chat.kept.searching import Pattern
from ollama_cli.chat.kept.stored import StoredChat
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session
from ollama_cli.errors import ArchiveError, StoreError
from ollama_cli.sandbox.accounts import DATABASE, Accounts

CODES = {"usage", "chat_unknown", "chats_unavailable", "chats_damaged", "chats_newer", "chats_busy"}
SKY = [Pattern.of("sky")]


def session() -> Session:
    return Session(
        "gpt-oss:120b",
        [
            Message("user", "Why is the sky blue?", images=("aGk=",)),
            Message("assistant", "Because.", thinking="Hm.", tool_calls=(ToolCall("look", {"at": 1}),)),
        ],
        loaded=(Message("user", "from the model"),),
        system="Be kind.",
        think="high",
        format={"type": "object"},
        keep_alive="5m",
        parameters={"temperature": 0.2, "stop": ["a"]},
        parent_model="gpt-oss",
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with two chats."""
    archive = Archive(tmp_path_factory.mktemp("archive") / "chats.sqlite3")
    for _ in range(2):
        KeptChat(archive, "gpt-oss:120b-cloud", print).keep(session())
    return archive.database.path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "state" / "data"
    folder.mkdir(parents=True, mode=0o700)
    return folder / "chats.sqlite3"


def try_everything(path: Path) -> None:
    """Do all that is done with kept chats; each piece of it works, or says what is wrong."""
    archive = Archive(path, lock_seconds=0.05)
    acts: list[Callable[[], object]] = [
        lambda: json.dumps([(chat.as_json(), chat.changed_on) for chat in archive.chats()]),
        archive.ids,
        lambda: json.dumps([asdict(found) for _, all_found in archive.search(SKY) for found in all_found]),
        lambda: go_on(archive, archive.find(1)),
        lambda: go_on(archive, archive.find()),
        lambda: KeptChat(archive, "m", print).keep(session()),
        lambda: archive.remove([1]),
    ]
    for act in acts:
        error = failure_of(act)
        assert error is None or error.code in CODES


def go_on(archive: Archive, stored: StoredChat) -> None:
    """Show a chat, and go on with it."""
    assert kept_json(stored)
    assert kept_markdown(stored)
    json.dumps([stored.session.chat_body(), stored.session.create_body("other")])
    settings_json(stored.session)
    stored.session.ask("And now?")
    KeptChat.continued(archive, stored, print).keep(stored.session)


def changed_anywhere(content: bytes, moments: random.Random) -> bytes:
    """A file of which some bytes are other ones, or the end is missing."""
    changed_content = bytearray(content)
    for _ in range(moments.choice([1, 1, 4, 40])):
        at = moments.randrange(len(content)) if moments.random() < 0.6 else moments.randrange(200)
        changed_content[at] = moments.randrange(256)
    if moments.random() < 0.2:
        del changed_content[moments.randrange(len(content)) :]
    return bytes(changed_content)


@pytest.mark.parametrize("seed", range(4))
def test_bytes_that_were_changed_anywhere(path: Path, whole: Path, seed: int) -> None:
    moments = random.Random(seed)  # noqa: S311 - the same each time
    for _ in range(60):
        path.write_bytes(changed_anywhere(whole.read_bytes(), moments))
        try_everything(path)


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_what_stands_beside_the_file_takes_nothing_from_it(path: Path, whole: Path, suffix: str) -> None:
    for content in (b"", b"\0" * 512, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\xff" * 1016, whole.read_bytes()):
        path.write_bytes(whole.read_bytes())
        path.with_name(f"{path.name}{suffix}").write_bytes(content)
        assert [chat.id for chat in Archive(path).chats()] == [2, 1]
        assert len(Archive(path).find(1).messages) == 2


def test_an_account_of_the_sandbox_that_is_damaged_is_named(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    accounts.approve("ssh-ed25519 AAAA", "laptop", 5)
    path = tmp_path / DATABASE
    content, moments = path.read_bytes(), random.Random(5)  # noqa: S311 - the same each time
    nameless = content.replace(b"tabledevices", b"tabled\x9cvices")  # what SQLite says of it is no text
    for damaged in (nameless, *(changed_anywhere(content, moments) for _ in range(40))):
        path.write_bytes(damaged)
        for act in (lambda: Accounts(tmp_path), accounts.devices, lambda: accounts.use_device("ssh-ed25519 AAAA", 6)):
            error = failure_of(act)
            assert error is None or isinstance(error, StoreError)


_COLUMNS = {
    "chats": ["id", "title", "model", "settings", "created_at", "changed_at", "revision"],
    "messages": ["chat", "position", "role", "content", "rest"],
}
_NUMBERS = [0, -1, 1.5, 2**63 - 1, -(2**63), 253_402_300_800, float("inf")]
_TEXTS = ["", "abc", "\0", "[" * 3000, '{"content":1}', "9" * 5000, "\x1b]52;c;aGFjaw==\x07", b"\xff\xfe", b"{}"]
_SETTINGS = json.loads(settings_json(session()))
_REST = session().messages[1].as_json()


@examples(40)
@given(
    st.lists(
        st.sampled_from([(table, column) for table, columns in _COLUMNS.items() for column in columns]).flatmap(
            lambda place: st.tuples(st.just(place), st.sampled_from([*_NUMBERS, *_TEXTS]))
        )
        | st.tuples(st.just(("chats", "settings")), changed(_SETTINGS).map(json.dumps))
        | st.tuples(st.just(("messages", "rest")), changed(_REST).map(json.dumps)),
        min_size=1,
        max_size=2,
    )
)
def test_values_that_no_chat_holds(
    tmp_path_factory: pytest.TempPathFactory, whole: Path, changes: list[tuple[tuple[str, str], Any]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "values" / "chats.sqlite3"
    path.parent.mkdir(exist_ok=True, mode=0o700)
    path.write_bytes(whole.read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        for (table, column), value in changes:
            with suppress(sqlite3.IntegrityError):
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid IN (1, 3)", (value,))  # noqa: S608
    try_everything(path)


@pytest.mark.parametrize(
    "pragma",
    ["user_version = 2", "user_version = 0", "user_version = -1", "user_version = 2147483647", "application_id = 0"],
)
@pytest.mark.parametrize("also", ["", "DROP TABLE messages", "ALTER TABLE chats ADD COLUMN more TEXT"])
def test_a_file_of_another_version_is_read_whole_or_left_as_it_is(
    path: Path, whole: Path, pragma: str, also: str
) -> None:
    path.write_bytes(whole.read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(also)
        connection.execute(f"PRAGMA {pragma}")
    before = path.read_bytes()
    with pytest.raises(ArchiveError) as caught:
        Archive(path).chats()
    with pytest.raises(ArchiveError):
        KeptChat(Archive(path), "m", print).keep(session())
    newer = int(pragma.rpartition("=")[2]) > 1
    assert caught.value.code == ("chats_newer" if newer else "chats_damaged")
    assert path.read_bytes() == before

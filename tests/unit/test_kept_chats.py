"""What is kept of a chat while it goes on: the difference each time, whatever made it, and never what is private."""

from __future__ import annotations

import base64
import json
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from ollama_cli.api.events import ToolCall
from ollama_cli.chat.kept.archive import Archive, parse_id
from ollama_cli.chat.kept.deciding import keep_chat
from ollama_cli.chat.kept.export import kept_json, kept_markdown
from ollama_cli.chat.kept.searching import Pattern
from ollama_cli.chat.kept.stored import ChatFacts, StoredChat
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session
from ollama_cli.errors import ArchiveError, UsageError
from ollama_cli.settings import Settings

MODEL = "gpt-oss:120b-cloud"
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=40)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=TEXTS,
    thinking=TEXTS,
    images=st.lists(st.binary(max_size=20).map(lambda content: base64.b64encode(content).decode()), max_size=2).map(
        tuple
    ),
    tool_calls=st.lists(st.builds(ToolCall, TEXTS, st.dictionaries(TEXTS, st.integers(), max_size=2)), max_size=2).map(
        tuple
    ),
)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "data" / "chats.sqlite3")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def kept(archive: Archive, told: list[str]) -> KeptChat:
    return KeptChat(archive, MODEL, told.append)


def texts(archive: Archive, number: int | None = None) -> list[str]:
    return [message.content for message in archive.find(number).session.messages]


def said(*contents: str) -> Session:
    """A session in which a question and an answer take turns."""
    session = Session("gpt-oss:120b")
    for index, content in enumerate(contents):
        session.messages.append(Message("assistant" if index % 2 else "user", content))
    return session


def as_stored(messages: list[Message]) -> StoredChat:
    """A chat as it is read from the archive."""
    facts = ChatFacts(1, "Why?", MODEL, 0, 0, 1, len(messages))
    return StoredChat(facts, Session("m", messages=messages), tuple(messages), "{}")


@contextmanager
def interrupted_after(writing: AbstractContextManager[sqlite3.Connection]) -> Iterator[sqlite3.Connection]:
    """Press Ctrl-C when something is written, and nobody knows of it yet."""
    with writing as connection:
        yield connection
    signal.raise_signal(signal.SIGINT)


# keeping


def test_nothing_is_kept_before_the_first_question(archive: Archive, kept: KeptChat) -> None:
    session = Session("gpt-oss:120b")
    session.set_system("You are terse.")
    kept.keep(session)
    assert (kept.id, archive.chats()) == (None, [])
    assert not archive.database.path.exists()


def test_the_whole_session_comes_back(archive: Archive, kept: KeptChat) -> None:
    session = Session(
        "gpt-oss:120b",
        loaded=(Message("user", "from the model"),),
        think="high",
        format={"type": "object"},
        keep_alive="5m",
        parameters={"temperature": 0.2, "stop": ["a", "b"]},
        parent_model="gpt-oss",
    )
    session.set_system("You are terse.")
    session.ask("What is this?", ["aGk="])
    kept.keep(session)
    session.answer(Message("assistant", "A picture.", thinking="Hm.", tool_calls=(ToolCall("look", {"at": 1}),)))
    session.ask("And what else?")
    kept.keep(session)
    stored = archive.find(kept.id)
    assert stored.session == session
    assert stored.session.waits
    assert (stored.facts.title, stored.facts.model, stored.facts.messages) == ("What is this?", MODEL, 4)


def test_what_is_taken_back_or_set_is_kept_so(archive: Archive, kept: KeptChat) -> None:
    session = said("one", "1", "two", "2")
    kept.keep(session)
    session.take_back_answer()
    session.parameters["seed"] = 5
    kept.keep(session)
    assert texts(archive) == ["one", "1", "two"]
    assert archive.find().session.parameters == {"seed": 5}
    session.take_back()
    session.ask("three")
    kept.keep(session)
    assert texts(archive) == ["one", "1", "three"]
    kept.model = session.model = "other"
    kept.keep(session)
    assert archive.find().facts.model == "other"


def test_a_chat_whose_only_question_was_taken_back_is_gone(archive: Archive, kept: KeptChat) -> None:
    session = said("one")
    kept.keep(session)
    session.take_back()
    kept.keep(session)
    assert (archive.chats(), kept.id) == ([], None)
    session.ask("two")
    kept.keep(session)
    assert texts(archive) == ["two"]


def test_a_chat_that_begins_anew_is_another_one(archive: Archive, kept: KeptChat) -> None:
    session = said("one", "1")
    kept.keep(session)
    session.clear()
    kept.begin_anew("other")
    kept.keep(session)
    session.ask("two")
    kept.keep(session)
    assert [(chat.id, chat.title, chat.model) for chat in archive.chats()] == [(2, "two", "other"), (1, "one", MODEL)]


def test_a_continued_chat_is_the_last_changed_one_and_grows(archive: Archive, kept: KeptChat, told: list[str]) -> None:
    kept.keep(said("one", "1"))
    KeptChat(archive, MODEL, told.append).keep(said("other"))
    stored = archive.find(1)
    stored.session.ask("two")
    KeptChat.continued(archive, stored, told.append).keep(stored.session)
    assert texts(archive) == ["one", "1", "two"]
    assert [chat.id for chat in archive.chats()] == [1, 2]
    assert told == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_interrupt_at_the_end_of_a_write_makes_no_second_chat(
    archive: Archive, kept: KeptChat, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = said("one")
    writing = archive.database.writing
    with monkeypatch.context() as patch:
        patch.setattr(archive.database, "writing", lambda: interrupted_after(writing()))
        with pytest.raises(KeyboardInterrupt):
            kept.keep(session)
    session.answer(Message("assistant", "1"))
    kept.keep(session)
    assert (archive.ids(), texts(archive), told) == ([1], ["one", "1"], [])


def test_a_chat_that_two_go_on_with_becomes_two(archive: Archive, kept: KeptChat, told: list[str]) -> None:
    session = said("one", "1")
    kept.keep(session)
    stored = archive.find()
    stored.session.ask("elsewhere")
    KeptChat.continued(archive, stored, told.append).keep(stored.session)
    assert told == []
    session.ask("here")
    kept.keep(session)
    session.answer(Message("assistant", "2"))
    kept.keep(session)
    assert texts(archive, 1) == ["one", "1", "elsewhere"]
    assert texts(archive, 2) == ["one", "1", "here", "2"]
    assert len(told) == 1
    assert "chat 2" in told[0]


def test_a_chat_that_was_removed_meanwhile_stays_so(archive: Archive, kept: KeptChat, told: list[str]) -> None:
    session = said("one", "1")
    kept.keep(session)
    archive.remove([1])
    session.ask("two")
    kept.keep(session)
    session.answer(Message("assistant", "2"))
    kept.keep(session)
    assert archive.chats() == []
    assert len(told) == 1
    kept.begin_anew(MODEL)
    kept.keep(said("three"))
    assert [chat.id for chat in archive.chats()] == [2]


def test_what_is_said_while_it_is_paused_is_never_kept(archive: Archive, kept: KeptChat) -> None:
    session = said("yes", "1")
    kept.keep(session)
    kept.paused = True
    for message in (Message("user", "yes"), Message("assistant", "private")):
        session.messages.append(message)
        kept.keep(session)
    assert texts(archive) == ["yes", "1"]
    kept.paused = False
    session.ask("two")
    kept.keep(session)
    assert texts(archive) == ["yes", "1", "two"]


def test_a_failed_write_is_made_good_by_the_next(archive: Archive, kept: KeptChat) -> None:
    session = said("one")
    kept.keep(session)
    path = archive.database.path
    content = path.read_bytes()
    path.write_bytes(b"no database, and that for long enough" * 40)
    session.answer(Message("assistant", "1"))
    with pytest.raises(ArchiveError):
        kept.keep(session)
    path.write_bytes(content)
    kept.keep(session)
    assert texts(archive) == ["one", "1"]


@of_hypothesis(max_examples=30)
@given(st.lists(MESSAGES, max_size=3))
def test_every_message_comes_back(tmp_path_factory: pytest.TempPathFactory, messages: list[Message]) -> None:
    archive = Archive(tmp_path_factory.mktemp("archive") / "chats.sqlite3")
    session = Session("m", messages=[Message("user", "q"), *messages])
    KeptChat(archive, "m", print).keep(session)
    halves = [replace(message, content=_without_halves(message.content)) for message in session.messages]
    assert archive.find().session.messages == halves


def _without_halves(text: str) -> str:
    """A text in which half a surrogate pair has become a mark, as UTF-8 has no place for it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("\n\n  Why \t is\nthe sky", "Why is"),
        ("", "(no text)"),
        ("x" * 200, "x" * 79 + "…"),
        ("half \ud800", "half \ufffd"),
    ],
    ids=["lines", "empty", "long", "surrogate"],
)
def test_the_title_is_the_first_line_of_the_first_question(
    archive: Archive, kept: KeptChat, question: str, title: str
) -> None:
    kept.keep(Session("m", messages=[Message("system", "s"), Message("user", question)]))
    assert archive.chats()[0].title == title


# whether to keep


@pytest.mark.parametrize(
    ("settings", "asked", "is_kept", "tells"),
    [
        (Settings(), False, None, False),
        (Settings(), True, True, False),
        (Settings(keep_chats=True), False, True, False),
        (Settings(no_history=True), False, None, False),
        (Settings(no_history=True), True, False, True),
        (Settings(no_history=True, keep_chats=True), False, False, False),
    ],
    ids=["nobody asked", "--keep", "always", "no history", "--keep, no history", "always, no history"],
)
def test_a_chat_is_kept_when_it_is_asked_for_and_allowed(
    archive: Archive, told: list[str], settings: Settings, asked: bool, is_kept: bool | None, tells: bool
) -> None:
    kept = keep_chat(archive, settings, MODEL, told.append, asked=asked)
    assert (None if kept is None else not kept.paused) == is_kept
    assert bool(told) == tells
    if kept is not None:
        kept.keep(said("one"))
    assert len(archive.chats()) == bool(is_kept)


def test_a_chat_can_be_held_where_it_cannot_be_kept(archive: Archive, told: list[str]) -> None:
    archive.database.path.mkdir(parents=True)
    assert keep_chat(archive, Settings(keep_chats=True), MODEL, told.append, asked=False) is None
    assert len(told) == 1
    with pytest.raises(ArchiveError):
        keep_chat(archive, Settings(), MODEL, told.append, asked=True)


def test_a_chat_can_be_gone_on_with_by_another_model(archive: Archive, kept: KeptChat, told: list[str]) -> None:
    kept.keep(said("one", "1"))
    stored = archive.find()
    going_on = keep_chat(archive, Settings(), "other", told.append, asked=False, stored=stored)
    assert going_on is not None
    stored.session.ask("two")
    going_on.keep(stored.session)
    assert [(chat.id, chat.model) for chat in archive.chats()] == [(1, "other")]


def test_no_chat_to_go_on_with(archive: Archive, kept: KeptChat) -> None:
    with pytest.raises(UsageError, match="No chat is kept"):
        archive.find()
    kept.keep(said("one"))
    with pytest.raises(UsageError, match="no kept chat 2"):
        archive.find(2)


@pytest.mark.parametrize("text", ["", "x", "-1", "+1", "1.0", "٣", "9" * 30], ids=ascii)
def test_an_id_is_a_number(text: str) -> None:
    assert parse_id("012") == 12
    with pytest.raises(UsageError):
        parse_id(text)


# search


@given(TEXTS, TEXTS.filter(str.strip), TEXTS)
def test_what_stands_in_a_text_is_found_in_it(before: str, searched: str, after: str) -> None:
    text = f"{before} {searched} {after}"
    snippet = Pattern.snippet([Pattern.of(searched)], text)
    assert snippet is not None
    assert not snippet.splitlines()[1:]


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["SKY"], "Why is the sky blue?", True),
        (["blue", "why"], "Why is the sky blue?", True),
        (["blue", "red"], "Why is the sky blue?", False),
        (["the sky"], "the\n  sky", True),
        (["sky the"], "the sky", False),
        (["100%"], "1000", False),
        (["a.c"], "abc", False),
        (['"; DROP TABLE chats; --'], 'x "; drop table chats; -- y', True),
        (["天空"], "为什么天空是蓝色的", True),
        (["cafe\u0301"], "CAF\u00c9", True),
    ],
)
def test_every_word_is_searched_for_as_it_stands(words: list[str], text: str, found: bool) -> None:
    assert (Pattern.snippet([Pattern.of(word) for word in words], text) is not None) == found


def test_the_snippet_shows_what_was_found_in_its_surroundings() -> None:
    text = f"{'before ' * 20}needle\n{'after ' * 20}"
    snippet = Pattern.snippet([Pattern.of("needle")], text)
    assert snippet is not None
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert "before needle after" in snippet
    assert Pattern.snippet([Pattern.of("needle")], "needle") == "needle"


# export


@of_hypothesis(max_examples=30)
@given(st.lists(MESSAGES, max_size=3))
def test_an_export_as_json_holds_every_message(messages: list[Message]) -> None:
    exported = json.loads(kept_json(as_stored(messages)))
    assert [Message.from_json(message) for message in exported["messages"]] == messages


@of_hypothesis(max_examples=30)
@given(st.lists(MESSAGES, max_size=3))
def test_an_export_as_markdown_holds_every_text_in_order(messages: list[Message]) -> None:
    exported = kept_markdown(as_stored(messages))
    position = 0
    for message in messages:
        position = exported.index(message.content, position) + len(message.content)

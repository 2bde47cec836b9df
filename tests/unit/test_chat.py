"""A conversation without a terminal: what is asked next, and what a typed entry is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli.chat.entry.typed import Entry, goes_on, system_text
from ollama_cli.chat.export import as_json, as_markdown
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session


def talk(*contents: str) -> Session:
    """A session in which the user and the model took turns."""
    session = Session("tiny")
    for number, content in enumerate(contents):
        if number % 2 == 0:
            session.ask(content)
        else:
            session.answer(Message("assistant", content))
    return session


def said(session: Session) -> list[str]:
    """What was said."""
    return [message.content for message in session.messages]


def test_taking_back_a_question_takes_its_answer_too() -> None:
    session = talk("one", "first", "two", "second")
    assert session.take_back()
    assert said(session) == ["one", "first"]
    assert session.take_back()
    assert not session.take_back()


def test_asking_again_takes_back_the_answer_only() -> None:
    answered, waiting = talk("one", "first"), talk("one")
    assert (answered.waits, waiting.waits) == (False, True)
    assert answered.take_back_answer()
    assert said(answered) == ["one"]
    assert not Session("tiny").take_back_answer()


def test_a_system_text_replaces_one_that_nothing_followed() -> None:
    session = Session("tiny")
    session.set_system("a")
    session.set_system("b")
    session.ask("one")
    session.set_system("c")
    assert said(session) == ["b", "one", "c"]
    session.clear()
    assert said(session) == ["c"]


def test_a_system_text_outlives_what_is_taken_back_before_it() -> None:
    session = talk("one", "first")
    session.set_system("brief")
    assert session.take_back_answer()
    assert said(session) == ["brief", "one"]
    session.answer(Message("assistant", "second"))
    assert session.take_back()
    assert said(session) == ["brief"]


def test_saving_names_the_parent_unless_that_would_leave_the_cloud() -> None:
    assert Session("mine", parent_model="tiny").create_body("new")["from"] == "tiny"
    assert Session("qwen:cloud", parent_model="qwen").create_body("new")["from"] == "qwen:cloud"
    assert Session("tiny").create_body("new") == {"model": "new", "from": "tiny"}


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("hello", False),
        ('"""', True),
        ('"""a', True),
        ('"""a\nb"""', False),
        ('""""""', False),
        ('/set system """Be', True),
        ('/set system """Be"""', False),
        ("/set system Be", False),
        ('say """x', False),
    ],
)
def test_quotes_that_are_open_go_on(text: str, more: bool) -> None:
    assert goes_on(text) is more


def test_what_was_pasted_is_no_command() -> None:
    assert Entry("/bye").is_command
    assert not Entry("/bye", pasted=True).is_command
    assert Entry('"""/bye\n/bye"""').message == "/bye\n/bye"


@given(st.text().filter(lambda text: "\n" not in text))
def test_a_system_text_of_one_line_is_taken_as_it_is(text: str) -> None:
    assert system_text(f'"""{text}"""') == text


messages = st.builds(
    Message, st.sampled_from(["system", "user", "assistant"]), st.text(), st.text(), st.lists(st.text()).map(tuple)
)


@given(messages)
def test_a_message_survives_json(message: Message) -> None:
    assert Message.from_json(json.loads(json.dumps(message.as_json()))) == message


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.integers())))
def test_what_is_no_message_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="writes no messages"):
        Message.from_json({**content, "role": "nobody"})


def test_exports() -> None:
    session = talk("What is **it**?", "It is.")
    assert as_markdown("tiny", session.messages).splitlines()[-4:] == ["", "## Model", "", "It is."]
    assert json.loads(as_json("tiny", session.messages))["messages"][1] == {"role": "assistant", "content": "It is."}

"""Which model is talked to: ``/load``, ``/model``, ``/save``, ``/list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.api.model_list import with_cloud_names
from ollama_cli.chat.commands.command import Command
from ollama_cli.chat.conversation import shown_name
from ollama_cli.errors import UsageError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.chat.chat import Chat


def _one_name(typed: str, usage: str) -> str:
    names = typed.split()
    if len(names) != 1:
        raise UsageError("One name is needed.", hint=usage)
    return names[0]


def _load(chat: Chat, typed: str) -> None:
    opened = chat.backend.open(_one_name(typed, "/load MODEL"))
    chat.conversation.switch(opened, anew=True)
    chat.goes_on_with(opened, anew=True)
    chat.note(f"A new conversation, with {shown_name(opened)}.")
    chat.show_loaded()


def _model(chat: Chat, typed: str) -> None:
    if not typed:
        opened = chat.conversation.opened
        where = "ollama.com" if opened.in_cloud else "the Ollama server"
        chat.note(f"You talk to {shown_name(opened)}, at {where}. /model NAME goes on with another.")
        return
    opened = chat.backend.open(_one_name(typed, "/model NAME"))
    chat.conversation.switch(opened, anew=False)
    chat.goes_on_with(opened, anew=False)
    chat.note(f"{shown_name(opened)} goes on with the conversation.")


def _save(chat: Chat, typed: str) -> None:
    name = _one_name(typed, "/save MODEL")
    body = chat.conversation.session.create_body(name)
    if chat.conversation.opened.in_cloud:
        body["from"] = chat.conversation.opened.reference.cloud_twin
    chat.backend.create_model(body)
    chat.note(f"The conversation is the model {clean_line(name)} now.")


def _list(chat: Chat, typed: str) -> None:
    from ollama_cli.terminal.model_table import show_models

    wanted = typed.lower()
    opened = chat.conversation.opened
    with chat.conversation.asking(opened):
        told = opened.client.models()
    named = with_cloud_names(told) if opened.in_cloud else told
    models = [model for model in named if model.name.lower().startswith(wanted)]
    chat.know_models(model.name for model in models)
    show_models(chat.streams, models)


MODELS = (
    Command(("/load",), "MODEL", "begin anew with another model", _load, takes="models"),
    Command(("/model",), "[MODEL]", "go on with another model", _model, takes="models"),
    Command(("/save",), "MODEL", "save the conversation as a model", _save),
    Command(("/list",), "[START]", "list the server's models", _list),
)

"""``/show``: what is known of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.chat.commands.command import Command
from ollama_cli.terminal.sanitize import clean, clean_line

if TYPE_CHECKING:
    from ollama_cli.api.model_info import ModelInfo
    from ollama_cli.chat.chat import Chat

_NOTHING = {
    "license": "No licence is given for this model.",
    "template": "No template is given for this model.",
    "modelfile": "No Modelfile is given for this model.",
}


def _details(chat: Chat) -> ModelInfo:
    opened = chat.conversation.opened
    with chat.conversation.asking(opened):
        return opened.client.show(opened.name)


def _show_info(chat: Chat, _: str) -> None:
    from ollama_cli.terminal.model_details import show_model

    show_model(chat.streams, _details(chat).told)


def _show_text(name: str, does: str) -> Command:
    def run(chat: Chat, _: str) -> None:
        chat.streams.answer(clean(_details(chat).text(name)) or _NOTHING[name])

    return Command(("/show", name), "", does, run)


def _show_parameters(chat: Chat, _: str) -> None:
    of_model = clean(_details(chat).text("parameters")).splitlines()
    chat.streams.answer("Of the model:")
    for line in of_model or ["none"]:
        chat.streams.answer(f"  {line}")
    ours = chat.conversation.session.parameters
    if ours:
        chat.streams.answer("\nSet by you:")
        for name, value in ours.items():
            shown = ", ".join(value) if isinstance(value, list) else value
            chat.streams.answer(f"  {name:<30} {clean_line(str(shown))}")


def _show_system(chat: Chat, _: str) -> None:
    told = _details(chat)
    text = chat.conversation.session.system or told.text("system")
    chat.streams.answer(clean(text) or "The model is told nothing first.")


DETAILS = (
    Command(("/show", "info"), "", "its architecture, size and abilities", _show_info),
    _show_text("license", "its licence"),
    _show_text("modelfile", "the Modelfile that it is made from"),
    Command(("/show", "parameters"), "", "its parameters, and yours", _show_parameters),
    Command(("/show", "system"), "", "what it is told first", _show_system),
    _show_text("template", "how it is given a prompt"),
)

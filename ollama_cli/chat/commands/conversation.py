"""What was said: ``/clear``, ``/undo``, ``/retry``, ``/copy``, ``/export``, ``/tokens``, ``/image``."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from ollama_cli.chat.commands.command import Command, LeaveChat
from ollama_cli.chat.entry.typed import typed_path
from ollama_cli.errors import CliError, UsageError

if TYPE_CHECKING:
    from ollama_cli.chat.chat import Chat

_LARGEST_CLIPBOARD = 74_994
"""Bytes of text that terminals take in one OSC 52 sequence, as xterm and tmux bound it."""


def _clear(chat: Chat, _: str) -> None:
    chat.conversation.clear()
    chat.goes_on_with(chat.conversation.opened, anew=True)
    chat.note("What was said is forgotten.")


def _undo(chat: Chat, _: str) -> None:
    if not chat.conversation.session.take_back():
        raise UsageError("Nothing was said yet.")
    chat.note("Your last message and its answer are taken back.")


def _retry(chat: Chat, _: str) -> None:
    if not chat.conversation.session.take_back_answer():
        raise UsageError("Nothing was said yet.")
    chat.conversation.ask_again()


def _copy(chat: Chat, _: str) -> None:
    answer = chat.conversation.session.last_answer
    if answer is None:
        raise UsageError("There is no answer yet.")
    encoded = base64.b64encode(answer.content.encode("utf-8", "replace")).decode()
    if len(answer.content.encode("utf-8", "replace")) > _LARGEST_CLIPBOARD:
        raise UsageError("The answer is too long for a terminal's clipboard.", hint="/export FILE writes it to a file.")
    chat.streams.whisper(f"\x1b]52;c;{encoded}\a")
    chat.note("The terminal was asked to copy the last answer.")


def _export(chat: Chat, typed: str) -> None:
    from ollama_cli.chat.export import as_json, as_markdown
    from ollama_cli.terminal.output_file import output_file

    if not typed:
        raise UsageError("A file is needed.", hint="/export chat.md, or /export chat.json")
    path = typed_path(typed)
    if os.path.exists(path):  # noqa: PTH110 - what cannot be a file is told when it is written
        raise UsageError(f"{path} is there already; nothing was written.")
    session = chat.conversation.session
    write = as_json if path.suffix == ".json" else as_markdown
    with output_file(path, chat.streams) as file:
        file.write(write(session.model, session.messages))
    chat.note(f"The conversation is in {path}.")


def _tokens(chat: Chat, _: str) -> None:
    counted = chat.conversation.statistics
    used = counted.prompt_eval_count + counted.eval_count
    if not used:
        raise UsageError("Nothing was counted yet: that comes with an answer.")
    limit = _context_length(chat)
    of_limit = f" of {limit:,} ({used / limit:.0%})" if limit else ""
    chat.note(f"The conversation takes {used:,} tokens{of_limit}.")


def _context_length(chat: Chat) -> int:
    given = chat.conversation.session.parameters.get("num_ctx")
    if isinstance(given, int):
        return given
    try:
        return chat.conversation.lookup.info().context_length
    except CliError:
        return 0


def _image(chat: Chat, typed: str) -> None:
    if not typed:
        raise UsageError("A file is needed.", hint="/image cat.png")
    chat.conversation.attach_file(typed)


def _leave(_: Chat, __: str) -> None:
    raise LeaveChat


CONVERSATION = (
    Command(("/retry",), "", "ask your last message again", _retry),
    Command(("/undo",), "", "take your last message and its answer back", _undo),
    Command(("/image",), "FILE", "send an image or a sound with your next message", _image, takes="files"),
    Command(("/copy",), "", "copy the last answer", _copy),
    Command(("/export",), "FILE", "write the conversation to a .md or .json file", _export, takes="files"),
    Command(("/tokens",), "", "tell how much of the context is used", _tokens),
    Command(("/clear",), "", "forget what was said", _clear),
    Command(("/bye",), "", "end the chat (Ctrl-D)", _leave, also=("/exit",)),
)

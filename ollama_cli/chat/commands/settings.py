"""``/set``: how the model answers, and how answers are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_cli.api.parameters import PARAMETERS, THINKING_LEVELS, parse_parameter, parse_think
from ollama_cli.chat.commands.command import Command
from ollama_cli.chat.entry.typed import system_text
from ollama_cli.errors import CliError, UsageError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.chat.chat import Chat

_ABOUT_PARAMETERS = (
    ("temperature <number>", "how freely it chooses its words"),
    ("seed <integer>", "the same number gives the same answer"),
    ("num_predict <integer>", "the most tokens of an answer"),
    ("num_ctx <integer>", "the tokens that it reads at once"),
    ("top_k <integer>", "how many words it chooses from"),
    ("top_p <number>", "how likely these words are together"),
    ("min_p <number>", "how likely a word is, at least"),
    ("repeat_penalty <number>", "how much it avoids repeating itself"),
    ("repeat_last_n <integer>", "how far back it looks for repetitions"),
    ("num_gpu <integer>", "how many layers a graphics card computes"),
    ("stop <text> <text>…", "what ends an answer"),
)


def _parameter(chat: Chat, typed: str) -> None:
    name, *values = typed.split()
    if not values:
        raise UsageError(f"{name} needs a value.")
    chat.conversation.session.parameters[name] = parse_parameter(name, values)
    chat.note(f"{name} is {', '.join(values)} now.")


def _set_parameter(chat: Chat, typed: str) -> None:
    if typed:
        _parameter(chat, typed)
        return
    chat.note("Parameters of the model:")
    for usage, meaning in _ABOUT_PARAMETERS:
        chat.note(f"  /set parameter {usage:<24} {meaning}")
    others = sorted(PARAMETERS - {usage.split()[0] for usage, _ in _ABOUT_PARAMETERS})
    chat.note(f"Also: {', '.join(others)}.")


def _set_system(chat: Chat, typed: str) -> None:
    if not typed:
        raise UsageError("A text is needed.", hint='/set system You are brief. (""" begins one of several lines.)')
    chat.conversation.session.set_system(system_text(typed))
    chat.note("The model is told that from your next message on.")


def _set_format(chat: Chat, typed: str) -> None:
    if typed != "json":
        raise UsageError("The format that there is is json.", hint="/set format json")
    chat.conversation.session.format = "json"
    chat.note("Answers are JSON now. Ask for JSON in your message too.")


def _set_no_format(chat: Chat, _: str) -> None:
    chat.conversation.session.format = None
    chat.note("Answers have no format any more.")


def _set_think(chat: Chat, typed: str) -> None:
    how = parse_think(typed or "true")
    if how is False:
        _set_no_think(chat, "")
        return
    chat.conversation.think(how)
    chat.note(f"The model thinks now{f' ({how})' if isinstance(how, str) else ''}.")
    _warn_of_thinking(chat)


def _set_no_think(chat: Chat, _: str) -> None:
    chat.conversation.think(how=False)
    chat.note("The model does not think now.")


def _warn_of_thinking(chat: Chat) -> None:
    try:
        able = "thinking" in chat.conversation.lookup.info().capabilities
    except CliError:
        return  # it is told with the next message
    if not able:
        chat.note(f"Warning: {clean_line(chat.conversation.session.model)} does not say that it can think.")


def _display(word: str, does: str, done: str, **change: bool) -> Command:
    """A setting of how answers are shown."""

    def run(chat: Chat, _: str) -> None:
        chat.conversation.display = replace(chat.conversation.display, **change)
        chat.note(done)

    return Command(("/set", word), "", does, run)


def _keep_history(*, on: bool) -> Command:
    def run(chat: Chat, _: str) -> None:
        chat.remember(on=on)
        chat.note("What you type is remembered." if on else "Nothing that you type is remembered from here on.")

    word, does = ("history", "remember what you type") if on else ("nohistory", "remember nothing")
    return Command(("/set", word), "", does, run)


SETTINGS = (
    Command(
        ("/set", "parameter"),
        "[NAME VALUE]",
        "set a parameter of the model",
        _set_parameter,
        choices=tuple(sorted(PARAMETERS)),
    ),
    Command(("/set", "system"), "TEXT", "tell the model something first", _set_system),
    _keep_history(on=True),
    _keep_history(on=False),
    _display("wordwrap", "end lines between words", "Lines end between words.", wrap=True),
    _display("nowordwrap", "end lines at the edge", "Lines end at the terminal's edge.", wrap=False),
    _display("markdown", "lay answers out as Markdown", "Answers are laid out as Markdown.", markdown=True),
    _display(
        "nomarkdown", "show answers as they are written", "Answers are shown as they are written.", markdown=False
    ),
    Command(("/set", "format"), "json", "answer as JSON", _set_format, choices=("json",)),
    Command(("/set", "noformat"), "", "answer as text", _set_no_format),
    _display("verbose", "tell counts and times", "Counts and times are told after an answer.", statistics=True),
    _display("quiet", "do not tell them", "Counts and times are not told.", statistics=False),
    Command(("/set", "think"), "[LEVEL]", "think before the answer", _set_think, choices=THINKING_LEVELS),
    Command(("/set", "nothink"), "", "do not think", _set_no_think),
)

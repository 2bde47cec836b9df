"""What a command of the chat is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ollama_cli.chat.chat import Chat


class LeaveChat(Exception):  # noqa: N818 - no error
    """The person wants to end the chat."""


@dataclass(frozen=True)
class Command:
    """A command of the chat.

    Attributes:
        words: What it is called: one word, or two for a setting or a detail.
        arguments: What may follow, as help shows it.
        does: What it does, as help shows it.
        run: Does it, with what was typed after the words.
        also: Other names of its first word.
        takes: What completes what follows: models, files, or nothing.
        choices: Words that may follow.
    """

    words: tuple[str, ...]
    arguments: str
    does: str
    run: Callable[[Chat, str], None]
    also: tuple[str, ...] = ()
    takes: Literal["models", "files", ""] = ""
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The command with its arguments."""
        return " ".join(filter(None, (*self.words, self.arguments)))

"""What Tab completes in a chat: commands, and after them models, files and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from ollama_cli.chat.commands.command import Command


class ChatCompleter(Completer):
    """Completes what begins with a slash.

    Args:
        commands: The table of commands.
        models: Gives the names of models that are known; it must not wait.
    """

    def __init__(self, commands: Iterable[Command], models: Callable[[], Iterable[str]]) -> None:
        self._commands = tuple(commands)
        self._models = models
        self._files = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """The completions of what stands before the cursor."""
        text = document.text_before_cursor
        if not text.startswith("/") or "\n" in text:
            return
        *before, word = text.split(" ")
        command = self._command(before)
        if command is not None and command.takes == "files":
            written = text.partition(" ")[2].lstrip()
            yield from self._files.get_completions(Document(written), complete_event)
            return
        for choice in sorted(set(self._choices(before, command))):
            if choice.startswith(word):
                yield Completion(choice, start_position=-len(word))

    def _command(self, words: list[str]) -> Command | None:
        return next((c for c in self._commands if words and tuple(words[: len(c.words)]) == c.words), None)

    def _choices(self, before: list[str], command: Command | None) -> Iterable[str]:
        if not before:
            return (name for command in self._commands for name in (command.words[0], *command.also))
        if command is None:
            return (c.words[1] for c in self._commands if len(c.words) > 1 and before == [c.words[0]])
        if len(before) > len(command.words):
            return ()
        return self._models() if command.takes == "models" else command.choices

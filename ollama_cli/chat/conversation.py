"""A conversation at a terminal: the session, the server that it is held with, and how answers are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_cli.api.failures import BREAK_HINT
from ollama_cli.api.statistics import Statistics
from ollama_cli.chat.backend import Backend, Opened
from ollama_cli.chat.display import Display
from ollama_cli.chat.entry.typed import typed_path
from ollama_cli.chat.lookup import Lookup
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session
from ollama_cli.errors import CliError, ModelNotFoundError, SignInError, UsageError
from ollama_cli.inference.answer import Answer
from ollama_cli.inference.attachments import Attachment, existing_files, read_attachment, take_files
from ollama_cli.terminal.errors import show_error
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.waiting import SignOfLife

if TYPE_CHECKING:
    from ollama_cli.api.model_info import ModelInfo


@dataclass
class Conversation:
    """A conversation at a terminal.

    Attributes:
        streams: The terminal.
        backend: The program around it.
        session: What was said, and the settings.
        opened: The model that is talked to, and its server.
        when_looked_up: Called, from another thread, when a model's details are known, or known not to be.
        when_said: Called each time that a message is complete.
        display: How answers are shown.
        attachments: Files that go along with the next message.
        statistics: What the server counted of the last answer.
        signed_out: Whether the last that the server said was that nobody is signed in.
        lookup: What the server tells of the model.
    """

    streams: Streams
    backend: Backend
    session: Session
    opened: Opened
    when_looked_up: Callable[[Lookup], None]
    when_said: Callable[[], None]
    display: Display = field(default_factory=Display)
    attachments: list[Attachment] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    signed_out: bool = False

    def __post_init__(self) -> None:
        self._think_was_chosen = self.session.think is not None
        self._told: CliError | None = None
        self.lookup = Lookup(self.opened, self.when_looked_up)

    # What is said

    def say(self, text: str) -> bool:
        """Say something, with the files that it names and those that wait; show the answer, or why there is none.

        Returns:
            Whether it was said; not where a file that it names cannot go along, or the person did not wait for it.
        """
        try:
            text = self._take_files(text)
        except UsageError as error:
            self.tell_error(error)
            return False
        except KeyboardInterrupt:
            self.streams.say("\nStopped. Nothing was sent.")
            return False
        self.session.ask(text, [attachment.encoded for attachment in self.attachments])
        self.attachments.clear()
        self.when_said()
        self.ask_again()
        return True

    def ask_again(self) -> None:
        """Ask for an answer to the last question. Whatever goes wrong is told, and the question still waits."""
        if self.lookup.error is not None and self.lookup.error is self._told:
            self.lookup = Lookup(self.opened, lambda _: None)
        try:
            with SignOfLife(self.streams) as waiting:
                self._prepare()
                self._stream(waiting.stop)
        except KeyboardInterrupt:
            self.streams.say("\nStopped. /retry asks again.")
        except CliError as error:
            if self.mend(error):
                self.ask_again()

    def was_told(self, error: CliError) -> bool:
        """Whether it was this error that was told last."""
        return error is self._told

    def mend(self, error: CliError) -> bool:
        """Tell what went wrong, and mend it with the person where that can be done.

        Returns:
            Whether it is mended, so that the model can be asked again.
        """
        self._told = error
        try:
            if isinstance(error, ModelNotFoundError) and self._can_be_loaded:
                self.opened = self.backend.fetched(self.opened)
                self.session.model = self.opened.name
            elif isinstance(error, SignInError):
                self.signed_out = True
                self.opened = self.backend.sign_in(self.opened, error)
                self.signed_out = False
            else:
                raise error
        except KeyboardInterrupt:
            self.streams.say("\nStopped. /retry asks again.")
            return False
        except CliError as still:
            told = self.backend.explained(still, self.opened)
            if told.hint == BREAK_HINT:  # of a chat, nothing of an answer that broke off is kept
                told.hint = "/retry asks again."
            self.tell_error(told)
            return False
        self.lookup = Lookup(self.opened, lambda _: None)
        return True

    def clear(self) -> None:
        """Forget what was said."""
        self.session.clear()
        self.statistics = Statistics()

    def attach(self, attachment: Attachment) -> None:
        """Have a file go along with the next message."""
        self.attachments.append(attachment)
        self.streams.say(f"{attachment.path} goes along with your next message ({attachment.kind}).")

    def attach_file(self, name: str) -> None:
        """Read a file, and have it go along with the next message.

        Raises:
            UsageError: It cannot be read, or is no image and no sound.
        """
        self.attach(read_attachment(typed_path(name)))

    def names_file(self, text: str) -> bool:
        """Whether a text begins with the name of an image or a sound that there is."""
        return any(text.startswith(name) for name, _ in existing_files(text))

    def think(self, how: bool | str) -> None:
        """Have the model think, or not."""
        self.session.think = how
        self._think_was_chosen = True

    @property
    def _can_be_loaded(self) -> bool:
        """Whether the server is one that can load a model of such a name."""
        return not self.opened.in_cloud and self.opened.reference.source != "cloud"

    # Which model

    def switch(self, opened: Opened, *, anew: bool) -> None:
        """Go on with another model.

        Args:
            opened: The model and its server; its details are asked for now.
            anew: Whether the conversation begins anew.

        Raises:
            CliError: There is no such model, or it cannot be asked; nothing is changed then.
        """
        lookup = Lookup(opened, lambda _: None)
        with self.asking(opened):
            info = lookup.info()
        self.opened, self.lookup = opened, lookup
        if anew:
            self.session.begin_with(opened.name)
            self.statistics = Statistics()
        else:
            self.session.model = opened.name
        self.take_up(info)

    def take_up(self, info: ModelInfo) -> None:
        """Have a model's details count for what is asked."""
        self.session.parent_model = info.parent_model
        if not self._think_was_chosen:
            # ollama.com itself has such a model think, unless told otherwise.
            self.session.think = True if "thinking" in info.capabilities and not self.opened.in_cloud else None
        told = info.told.get("messages")
        self.session.loaded = tuple(_messages(told)) if isinstance(told, list) else ()

    @contextmanager
    def asking(self, opened: Opened) -> Iterator[None]:
        """While a server is asked, for other things than an answer: its errors have the way out that it has."""
        try:
            yield
        except CliError as error:
            raise self.backend.explained(error, opened) from error

    def tell_error(self, error: CliError) -> None:
        """Say what went wrong, without ending anything."""
        show_error(self.streams, error, as_json=False)

    def _take_files(self, text: str) -> str:
        if not any(True for _ in existing_files(text)):
            return text
        try:
            if not self.lookup.info().takes_files:
                return text
        except CliError:
            return text  # it is told once the question is asked
        text, found = take_files(text)
        for attachment in found:
            self.streams.say(f"Sending {attachment.path} along ({attachment.kind}).")
        self.attachments.extend(found)
        return text

    def _prepare(self) -> None:
        """Know the model where what it is asked depends on it: a daemon's is told to think if it can."""
        if not self.opened.in_cloud:
            self.take_up(self.lookup.info())

    def _stream(self, before_showing: Callable[[], None]) -> None:
        answer = Answer(self.opened.name)
        printer = self.display.printer(self.streams, before_showing)
        try:
            for chunk in self.opened.client.chat(self.session.chat_body()):
                printer.show(chunk)
                answer.add(chunk)
        finally:
            printer.end()
        self.signed_out = False
        self.backend.answered(self.opened)
        self.session.answer(Message("assistant", answer.text, answer.thinking, tool_calls=tuple(answer.tool_calls)))
        self.when_said()
        self.statistics = answer.statistics
        self.display.tell_end(self.streams, answer)


def _messages(told: list[object]) -> list[Message]:
    messages = []
    for message in told:
        if isinstance(message, dict):
            try:
                messages.append(Message.from_json(message))
            except ValueError:
                continue
    return messages


def shown_name(opened: Opened) -> str:
    """A model's name, as it may stand in a sentence."""
    return clean_line(opened.name)

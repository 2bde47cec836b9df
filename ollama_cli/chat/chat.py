"""A chat at a terminal, as its loop and its commands work on it: the conversation, what is kept, what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ollama_cli.api.known_models import is_plain
from ollama_cli.chat.backend import Backend, Opened
from ollama_cli.chat.conversation import Conversation
from ollama_cli.chat.display import Display
from ollama_cli.chat.session import Session
from ollama_cli.errors import ArchiveError, CliError
from ollama_cli.terminal.sanitize import clean

if TYPE_CHECKING:
    from ollama_cli.chat.entry.history import PrivateHistory
    from ollama_cli.chat.kept.writing import KeptChat
    from ollama_cli.chat.lookup import Lookup
    from ollama_cli.chat.messages import Message
    from ollama_cli.terminal.streams import Streams


class Chat:
    """A chat at a terminal.

    Args:
        streams: The terminal.
        backend: The program around it.
        session: The conversation, with the settings of the command line.
        opened: Its model, and the server.
        display: How answers are shown.
        history: The lines that were typed before.
        when_news: Called, from another thread, when there is something to tell; see ``take_news``.
        kept: Keeps the chat on this machine; None where it is not kept.

    Attributes:
        conversation: What is said, with whom, and how it is shown.
    """

    def __init__(
        self,
        streams: Streams,
        backend: Backend,
        session: Session,
        opened: Opened,
        display: Display,
        history: PrivateHistory,
        when_news: Callable[[], None],
        kept: KeptChat | None = None,
    ) -> None:
        self.streams = streams
        self.backend = backend
        self._history = history
        self._kept = kept
        self._not_kept = ""
        self._models: set[str] = set()
        self._news: Lookup | None = None  # set in another thread
        self._when_news = when_news
        self.conversation = Conversation(streams, backend, session, opened, self._looked_up, self.keep, display)

    def note(self, text: str) -> None:
        """Tell the person something."""
        self.streams.say(text)

    def remember(self, *, on: bool) -> None:
        """Have what is typed remembered, or not."""
        self._history.enabled = on
        if self._kept is not None:
            self._kept.paused = not on

    def goes_on_with(self, opened: Opened, *, anew: bool) -> None:
        """Have what is kept know that another model goes on, or that another conversation begins."""
        if self._kept is None:
            return
        if anew:
            self._kept.begin_anew(self.backend.run_name(opened))
        else:
            self._kept.model = self.backend.run_name(opened)

    @property
    def models(self) -> tuple[str, ...]:
        """The names of models that Tab completes."""
        return tuple(self._models)

    def know_models(self, names: Iterable[str]) -> None:
        """Have Tab complete these names of models; but none that could change what a terminal shows."""
        self._models.update(filter(is_plain, names))

    def show_loaded(self) -> None:
        """Show the messages that the model itself begins with."""
        for message in self.conversation.session.loaded:
            if message.role in {"user", "assistant"}:
                self._show_message(message)

    def keep(self) -> None:
        """Write down what is new, where the chat is kept; where that fails, it is told once, and the chat goes on."""
        if self._kept is None:
            return
        try:
            self._kept.keep(self.conversation.session)
        except ArchiveError as error:
            if str(error) != self._not_kept:
                self.conversation.tell_error(error)
            self._not_kept = str(error)
        else:
            self._not_kept = ""

    def show_where_it_goes_on(self) -> None:
        """Of a chat that goes on, show what was said last."""
        said = [message for message in self.conversation.session.messages if message.role != "system"]
        for message in said[-2:]:
            self._show_message(message)
        if self.conversation.session.waits:
            self.note("This message has no answer yet: /retry asks for it.")

    def _show_message(self, message: Message) -> None:
        if message.role == "user":
            self.streams.answer(f">>> {clean(message.content)}")
        else:
            self.conversation.display.show_again(self.streams, message.content)

    def _looked_up(self, lookup: Lookup) -> None:
        """In another thread, perhaps before there is a conversation: the details are known, or known not to be."""
        try:
            is_news = bool(lookup.info().told.get("messages"))
        except CliError:
            is_news = True
        except Exception:  # noqa: BLE001 - a fault of ours; it is told where the model is asked
            is_news = False
        if is_news:
            self._news = lookup
            self._when_news()
        for name in self.backend.model_names():  # for Tab, in the same background
            self.know_models([name])

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell before a line is read."""
        return self._news is not None

    def take_news(self) -> None:
        """Between two lines: tell what is new about the model, and mend what can be mended."""
        lookup, self._news = self._news, None
        if lookup is None or lookup is not self.conversation.lookup:  # another was asked for meanwhile
            return
        if lookup.error is None:
            self.conversation.take_up(lookup.info())
            self.show_loaded()
        elif not self.conversation.was_told(lookup.error):
            self.conversation.mend(lookup.error)

"""The chat: reads what is typed, and does it, until the person leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prompt_toolkit.document import Document

from ollama_cli.api.known_models import is_plain
from ollama_cli.chat.backend import Backend, Opened
from ollama_cli.chat.commands.command import LeaveChat
from ollama_cli.chat.commands.completion import ChatCompleter
from ollama_cli.chat.commands.table import COMMANDS, run_typed
from ollama_cli.chat.conversation import Conversation
from ollama_cli.chat.display import Display
from ollama_cli.chat.entry.editor import edit
from ollama_cli.chat.entry.line import EditorWanted, Line, Woken
from ollama_cli.chat.entry.typed import Entry
from ollama_cli.chat.session import Session
from ollama_cli.errors import ArchiveError, CliError, SignInError, UsageError
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
        kept: Keeps the chat on this machine; None where it is not kept.
        editor: The editor for a long message; nothing is one that is usual here.
    """

    def __init__(
        self,
        streams: Streams,
        backend: Backend,
        session: Session,
        opened: Opened,
        display: Display,
        history: PrivateHistory,
        kept: KeptChat | None = None,
        editor: str = "",
    ) -> None:
        self.streams = streams
        self.backend = backend
        self._history = history
        self._kept = kept
        self._editor = editor
        self._held: Document | None = None
        self._not_kept = ""
        self._models: set[str] = set()
        self._news: Lookup | None = None  # set in another thread
        completer = ChatCompleter(COMMANDS, lambda: tuple(self._models))
        self._line = Line(streams, history, completer, lambda: self._news is not None)
        self.conversation = Conversation(streams, backend, session, opened, self._looked_up, self._keep, display)

    def run(self) -> None:
        """Chat until the person leaves.

        Raises:
            SignInError: The last that the server said was that nobody is signed in.
        """
        self._show_where_it_goes_on()
        while True:
            try:
                self._take_entry()
            except KeyboardInterrupt:
                continue  # at a moment in which nothing could be stopped
            except LeaveChat:
                break
        if self.conversation.signed_out:
            raise SignInError("Nobody is signed in, so nothing was answered.", hint="Run `ollama-cli signin`.")

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

    def know_models(self, names: Iterable[str]) -> None:
        """Have Tab complete these names of models; but none that could change what a terminal shows."""
        self._models.update(filter(is_plain, names))

    def show_loaded(self) -> None:
        """Show the messages that the model itself begins with."""
        for message in self.conversation.session.loaded:
            if message.role in {"user", "assistant"}:
                self._show_message(message)

    def _take_entry(self) -> None:
        """Read an entry, and do what it says.

        Raises:
            LeaveChat: The person wants to leave.
        """
        self._take_news()
        held, self._held = self._held, None
        try:
            entry = self._line.read(held)
        except Woken as left:
            self._held = left.document
        except EditorWanted as left:
            self._held = self._edited(left.document)
        except KeyboardInterrupt:
            self._interrupted()
        except EOFError:
            raise LeaveChat from None
        else:
            self._do(entry)

    def _edited(self, document: Document) -> Document:
        try:
            return Document(edit(document.text, self._editor))
        except UsageError as error:
            self.conversation.tell_error(error)
            return document

    def _do(self, entry: Entry) -> None:
        if not entry.text.strip():
            return
        try:
            if entry.is_command and not self.conversation.names_file(entry.text):
                run_typed(self, entry.text)
            elif not self.conversation.say(entry.message):
                self._held = Document(entry.text)
        except KeyboardInterrupt:
            self.note("\nStopped.")
        except CliError as error:
            self.conversation.tell_error(error)
        except (LeaveChat, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours costs nobody a conversation
            self.backend.tell_fault(error)
        self._keep()

    def _keep(self) -> None:
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

    def _show_where_it_goes_on(self) -> None:
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

    def _interrupted(self) -> None:
        if not self._line.text:
            self.note("Ctrl-D or /bye ends the chat.")

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
            self._line.wake()
        for name in self.backend.model_names():  # for Tab, in the same background
            self.know_models([name])

    def _take_news(self) -> None:
        """Between two lines: tell what is new about the model, and mend what can be mended."""
        lookup, self._news = self._news, None
        if lookup is None or lookup is not self.conversation.lookup:  # another was asked for meanwhile
            return
        if lookup.error is None:
            self.conversation.take_up(lookup.info())
            self.show_loaded()
        elif not self.conversation.was_told(lookup.error):
            self.conversation.mend(lookup.error)

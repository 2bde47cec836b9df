"""The loop of a chat: reads what is typed, and does it, until the person leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.document import Document

from ollama_cli.chat.commands.command import LeaveChat
from ollama_cli.chat.commands.completion import ChatCompleter
from ollama_cli.chat.commands.table import COMMANDS, run_typed
from ollama_cli.chat.entry.editor import edit
from ollama_cli.chat.entry.line import EditorWanted, Line, Woken
from ollama_cli.errors import CliError, SignInError, UsageError

if TYPE_CHECKING:
    from ollama_cli.chat.chat import Chat
    from ollama_cli.chat.entry.history import PrivateHistory
    from ollama_cli.chat.entry.typed import Entry
    from ollama_cli.terminal.streams import Streams


class ChatLoop:
    """Has a person hold a chat. It is made before the chat, which asks its server at once, beside all that follows.

    Args:
        streams: The terminal.
        history: The lines that were typed before.
        editor: The editor for a long message; nothing is one that is usual here.
    """

    _chat: Chat  # from `run` on, and nothing is read before

    def __init__(self, streams: Streams, history: PrivateHistory, editor: str = "") -> None:
        self._editor = editor
        self._held: Document | None = None
        completer = ChatCompleter(COMMANDS, lambda: self._chat.models)
        self._line = Line(streams, history, completer, lambda: self._chat.has_news)

    def wake(self) -> None:
        """Have the chat's news told, from any thread, also while a line is being typed."""
        self._line.wake()

    def run(self, chat: Chat) -> None:
        """Chat until the person leaves.

        Raises:
            SignInError: The last that the server said was that nobody is signed in.
        """
        self._chat = chat
        chat.show_where_it_goes_on()
        while True:
            try:
                self._take_entry()
            except KeyboardInterrupt:
                continue  # at a moment in which nothing could be stopped
            except LeaveChat:
                break
        if chat.conversation.signed_out:
            raise SignInError("Nobody is signed in, so nothing was answered.", hint="Run `ollama-cli signin`.")

    def _take_entry(self) -> None:
        """Read an entry, and do what it says.

        Raises:
            LeaveChat: The person wants to leave.
        """
        self._chat.take_news()
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
            self._chat.conversation.tell_error(error)
            return document

    def _interrupted(self) -> None:
        if not self._line.text:
            self._chat.note("Ctrl-D or /bye ends the chat.")

    def _do(self, entry: Entry) -> None:
        if not entry.text.strip():
            return
        conversation = self._chat.conversation
        try:
            if entry.is_command and not conversation.names_file(entry.text):
                run_typed(self._chat, entry.text)
            elif not conversation.say(entry.message):
                self._held = Document(entry.text)
        except KeyboardInterrupt:
            self._chat.note("\nStopped.")
        except CliError as error:
            conversation.tell_error(error)
        except (LeaveChat, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours costs nobody a conversation
            self._chat.backend.tell_fault(error)
        self._chat.keep()

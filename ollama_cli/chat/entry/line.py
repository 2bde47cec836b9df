"""The line that a person types: prompts, editing, history, completion; and what is told while it is being typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext, suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, get_app
from prompt_toolkit.completion import Completer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import History
from prompt_toolkit.input.typeahead import get_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.plain_text import PlainTextOutput

from ollama_cli.chat.entry.typed import Entry, goes_on
from ollama_cli.terminal.ending import ending_by
from ollama_cli.terminal.streams import Streams

PROMPT, MORE = ">>> ", "... "
PLACEHOLDER = "Write a message (/? for help)"


class LineLeft(Exception):  # noqa: N818 - no error: something else has to be done before the line goes on
    """The line was left in the middle, for something that needs the terminal.

    Attributes:
        document: What stood in it, and where the cursor was.
    """

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document


class Woken(LineLeft):
    """There is news to tell."""


class EditorWanted(LineLeft):
    """The person wants to go on in an editor."""


class Line:
    """Reads what a person types.

    Args:
        streams: The terminal.
        history: The lines that were typed before.
        completer: Completes commands and names.
        has_news: Whether there is something to tell before a line is read.
    """

    def __init__(self, streams: Streams, history: History, completer: Completer, has_news: Callable[[], bool]) -> None:
        self._streams = streams
        self._has_news = has_news
        self._pasted = ""
        with create_app_session(output=PlainTextOutput(streams.out)) if streams.dumb else nullcontext():
            self._session = self._new_session(history, completer)

    def _new_session(self, history: History, completer: Completer) -> PromptSession[str]:
        return PromptSession(
            PROMPT,
            multiline=True,
            history=history,
            completer=completer,
            complete_while_typing=False,
            enable_open_in_editor=False,  # Ctrl-G below does it, as in the reference
            enable_suspend=True,  # Ctrl-Z
            enable_history_search=False,  # Ctrl-R searches; the arrows go through all lines
            prompt_continuation=lambda *_: MORE,
            placeholder=self._placeholder,
            key_bindings=self._keys(),
            color_depth=None if self._streams.color else ColorDepth.DEPTH_1_BIT,
        )

    def read(self, held: Document | None = None) -> Entry:
        """Read an entry.

        Args:
            held: What stands in the line already, where it was left in the middle.

        Raises:
            EOFError: Ctrl-D at an empty line, or the terminal is gone.
            KeyboardInterrupt: Ctrl-C; the line is thrown away.
            LineLeft: ``wake`` was called, or an editor is wanted.
            SystemExit: A signal told the program to end; the terminal is as it was.
        """
        if held is None:
            self._pasted = ""
        self._session.app.erase_when_done = False
        shown = held.text if held is not None and self._streams.dumb else ""  # there the library shows nothing of it
        try:
            with ending_by(_leave_the_terminal):
                text = self._session.prompt(PROMPT + shown, default=held or "", pre_run=self._begin)
        except asyncio.CancelledError as error:  # Ctrl-C, which asyncio has forgotten: it came as its loop began
            raise KeyboardInterrupt from error
        return Entry(text, pasted=bool(self._pasted) and text.startswith(self._pasted))

    @property
    def text(self) -> str:
        """What stands, or stood last, in the line."""
        return self._session.default_buffer.text

    def wake(self) -> None:
        """Have ``read`` raise ``Woken``, from any thread, if it runs. The line vanishes from the screen."""
        loop = self._session.app.loop
        if loop is not None:
            with suppress(RuntimeError):  # the line was ended meanwhile, and its loop closed
                loop.call_soon_threadsafe(self._leave_for_news)

    def _begin(self) -> None:
        """Tell news first; else have the history there before the keys that were typed ahead, as an arrow would be."""
        if self._has_news():
            self._leave(Woken)
            return
        app = get_app()
        keys = get_typeahead(app.input)

        def take_keys() -> None:
            app.key_processor.feed_multiple(keys)
            app.key_processor.process_keys()

        self._session.default_buffer.load_history_if_not_yet_loaded()
        if app.loop is not None:
            app.loop.call_soon(take_keys)

    def _leave_for_news(self) -> None:
        if self._has_news():
            self._leave(Woken)

    def _leave(self, why: type[LineLeft]) -> None:
        app = get_app()
        if app.is_running and app.future is not None and not app.future.done():
            app.erase_when_done = True
            app.exit(exception=why(self._session.default_buffer.document))

    def _placeholder(self) -> FormattedText:
        return FormattedText([] if get_app().is_done else [("fg:ansibrightblack", PLACEHOLDER)])

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        in_line = has_focus(DEFAULT_BUFFER)  # and not in a search

        @keys.add(Keys.Enter, filter=in_line)
        def _enter(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if goes_on(buffer.text):
                buffer.insert_text("\n")
            else:
                buffer.validate_and_handle()

        @keys.add(Keys.Escape, Keys.Enter, filter=in_line)
        def _new_line(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add(Keys.BracketedPaste, filter=in_line)
        def _paste(event: KeyPressEvent) -> None:
            text = event.data.replace("\r\n", "\n").replace("\r", "\n")
            if not event.current_buffer.document.text_before_cursor:
                self._pasted = text
            event.current_buffer.insert_text(text)

        @keys.add(Keys.ControlG, filter=in_line)
        def _edit(_: KeyPressEvent) -> None:
            self._leave(EditorWanted)

        @keys.add(Keys.Vt100MouseEvent)
        def _mouse(_: KeyPressEvent) -> None:
            """Nothing: no mouse was asked for, and what only looks like one would be a fault of the library's."""

        return keys


def _leave_the_terminal() -> bool:
    """Have the line that is being read end, from anywhere in it; false where none is."""
    app = get_app()
    if app.loop is None or not app.is_running:
        return False

    def leave() -> None:
        if app.future is not None and not app.future.done():
            app.exit(exception=EOFError())

    app.loop.call_soon_threadsafe(leave)
    return True

"""The line that a person types: prompts, editing, history, completion; and what is told while it is being typed."""

from __future__ import annotations

from contextlib import suppress

from prompt_toolkit import PromptSession
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

from ollama_cli.chat.typed import Entry, goes_on
from ollama_cli.terminal.streams import Streams

PROMPT, MORE = ">>> ", "... "
PLACEHOLDER = "Write a message (/? for help)"


class Woken(Exception):  # noqa: N818 - no error: something else has to be done before the line goes on
    """The line was left in the middle, for something that needs the terminal.

    Attributes:
        document: What stood in it, and where the cursor was.
    """

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document


class Line:
    """Reads what a person types.

    Args:
        streams: The terminal.
        history: The lines that were typed before.
        completer: Completes commands and names.
    """

    def __init__(self, streams: Streams, history: History, completer: Completer) -> None:
        self._streams = streams
        self._pasted = ""
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            history=history,
            completer=completer,
            complete_while_typing=False,
            enable_open_in_editor=False,  # Ctrl-G below does it, as in the reference
            enable_history_search=False,  # Ctrl-R searches; the arrows go through all lines
            prompt_continuation=lambda *_: MORE,
            placeholder=lambda: FormattedText([("fg:ansibrightblack", PLACEHOLDER)]),
            key_bindings=self._keys(),
            color_depth=None if streams.color else ColorDepth.DEPTH_1_BIT,
        )

    def read(self, held: Document | None = None) -> Entry:
        """Read an entry.

        Args:
            held: What stands in the line already, where it was left in the middle.

        Raises:
            EOFError: Ctrl-D at an empty line, or the terminal is gone.
            KeyboardInterrupt: Ctrl-C; the line is thrown away.
            Woken: ``wake`` was called.
        """
        if held is None:
            self._pasted = ""
        self._session.app.erase_when_done = False
        text = self._session.prompt(default=held or "", pre_run=self._take_typed_ahead)
        return Entry(text, pasted=bool(self._pasted) and text.startswith(self._pasted))

    @property
    def text(self) -> str:
        """What stands, or stood last, in the line."""
        return self._session.default_buffer.text

    def wake(self) -> None:
        """Have ``read`` raise ``Woken``, from any thread, if it runs. The line vanishes from the screen."""
        app = self._session.app
        loop = app.loop
        if loop is None:
            return

        def leave() -> None:
            if app.is_running and app.future is not None and not app.future.done():
                app.erase_when_done = True
                app.exit(exception=Woken(app.current_buffer.document))

        with suppress(RuntimeError):  # the line was ended meanwhile, and its loop closed
            loop.call_soon_threadsafe(leave)

    def _take_typed_ahead(self) -> None:
        """Have earlier lines there before what was typed ahead is read, for it may ask for them."""
        app = self._session.app
        self._session.default_buffer.load_history_if_not_yet_loaded()
        keys = get_typeahead(app.input)

        async def read() -> None:  # it begins after the loading that was begun above, which does not wait for anything
            app.key_processor.feed_multiple(keys)
            app.key_processor.process_keys()

        app.create_background_task(read())

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
        def _edit(event: KeyPressEvent) -> None:
            event.current_buffer.open_in_editor(validate_and_handle=False)

        @keys.add(Keys.Vt100MouseEvent)
        def _mouse(_: KeyPressEvent) -> None:
            """Nothing: no mouse was asked for, and what only looks like one would be a fault of the library's."""

        return keys

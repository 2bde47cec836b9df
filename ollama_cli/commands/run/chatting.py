"""``run`` at a terminal: the chat, put together from the program's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.errors import UsageError
from ollama_cli.terminal.typing_ahead import typing_ahead

if TYPE_CHECKING:
    from pathlib import Path

    from ollama_cli.chat.backend import Opened
    from ollama_cli.chat.kept.stored import StoredChat
    from ollama_cli.chat.session import Session
    from ollama_cli.commands.run.options import RunOptions
    from ollama_cli.context import Context
    from ollama_cli.inference.question import Question


def chat(context: Context, options: RunOptions, question: Question, stored: StoredChat | None = None) -> None:
    """Chat at a terminal until the person leaves.

    Args:
        context: What the command works with.
        options: What its command line says.
        question: The same, read; it has no prompt.
        stored: A kept chat to go on with.

    Raises:
        SignInError: Nobody was signed in, and so nothing was answered.
        ArchiveError: The chat was asked to be kept, and cannot be.
    """
    with typing_ahead():
        from ollama_cli.chat.chat import Chat
        from ollama_cli.chat.display import Display
        from ollama_cli.chat.entry.history import PrivateHistory
        from ollama_cli.chat.kept.deciding import keep_chat
        from ollama_cli.chat.loop import ChatLoop
        from ollama_cli.commands.run.chat_backend import ContextBackend

        settings = context.settings
        backend = ContextBackend(context, options)
        opened = backend.open(options.model)
        kept = keep_chat(
            context.archive, settings, backend.run_name(opened), context.streams.say, asked=options.keep, stored=stored
        )
        display = Display(
            markdown=options.markdown is not False,
            wrap=not options.no_word_wrap,
            thinking=not options.hide_thinking,
            statistics=options.verbose,
        )
        history = PrivateHistory(_history_file(context), enabled=not settings.no_history)
        session = _session(opened, question, stored)
        loop = ChatLoop(context.streams, history, settings.editor)
        held = Chat(context.streams, backend, session, opened, display, history, loop.wake, kept)
        for attachment in question.attachments:
            held.conversation.attach(attachment)
        loop.run(held)


def _session(opened: Opened, question: Question, stored: StoredChat | None) -> Session:
    """The conversation that goes on, or a new one, with what the command line says about it."""
    from ollama_cli.chat.session import Session

    session = stored.session if stored is not None else Session(opened.name)
    session.model = opened.name
    session.think = session.think if question.think is None else question.think
    session.format = question.format or session.format
    session.keep_alive = question.keep_alive or session.keep_alive
    session.parameters.update(question.parameters)
    if question.system:
        session.set_system(question.system)
    return session


def require_chat(context: Context, options: RunOptions) -> None:
    """Refuse a chat where nobody could hold it.

    Raises:
        UsageError: A stream is no terminal, or an option asks for one answer.
    """
    streams = context.streams
    if not options.wants_one_answer and streams.interactive and streams.out.isatty():
        return
    what = "A chat needs a terminal, and no option for one answer." if options.wants_chat else "There is no prompt."
    raise UsageError(what, hint=f'One answer: `ollama-cli run {options.model} "Why is the sky blue?"`')


def stored_chat(context: Context, number: str) -> StoredChat:
    """A kept chat to go on with.

    Args:
        context: What the command works with.
        number: Its id; ``last``, or nothing, is the one that was changed last.

    Raises:
        UsageError: There is none.
        ArchiveError: The archive cannot be read.
    """
    from ollama_cli.chat.kept.archive import parse_id

    return context.archive.find(None if number in {"", "last"} else parse_id(number))


def _history_file(context: Context) -> Path:
    folder = context.sandbox_dir if context.options.sandbox else context.settings.data_dir
    return folder / "chat_history"

"""``run`` at a terminal: the chat, put together from the program's parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ollama_cli.errors import CliError, SignInError, UnavailableError, UsageError
from ollama_cli.terminal.typing_ahead import typing_ahead

if TYPE_CHECKING:
    from pathlib import Path

    from ollama_cli.api.client import OllamaClient
    from ollama_cli.chat.backend import Opened
    from ollama_cli.commands.run.options import RunOptions
    from ollama_cli.context import Context
    from ollama_cli.inference.question import Question


def chat(context: Context, options: RunOptions, question: Question) -> None:
    """Chat at a terminal until the person leaves.

    Args:
        context: What the command works with.
        options: What its command line says.
        question: The same, read; it has no prompt.

    Raises:
        SignInError: Nobody was signed in, and so nothing was answered.
    """
    with typing_ahead():
        from ollama_cli.chat.chat import Chat
        from ollama_cli.chat.conversation import Display
        from ollama_cli.chat.history import PrivateHistory
        from ollama_cli.chat.session import Session

        settings = context.settings
        if settings.editor:
            os.environ["VISUAL"] = settings.editor  # where the library that edits the line looks first
        backend = ContextBackend(context, options)
        opened = backend.open(options.model)
        session = Session(
            opened.name,
            think=question.think,
            format=question.format,
            keep_alive=question.keep_alive,
            parameters=dict(question.parameters),
        )
        if question.system:
            session.set_system(question.system)
        display = Display(wrap=not options.no_word_wrap, thinking=not options.hide_thinking, statistics=options.verbose)
        history = PrivateHistory(_history_file(context), enabled=not settings.no_history)
        conversation = Chat(context.streams, backend, session, opened, display, history)
        for attachment in question.attachments:
            conversation.conversation.attach(attachment)
        conversation.run()


class ContextBackend:
    """The program around a chat.

    Args:
        context: What the command works with.
        options: What its command line says.
    """

    def __init__(self, context: Context, options: RunOptions) -> None:
        self._context = context
        self._options = options

    def open(self, model: str) -> Opened:
        """The server that is asked for a model; see ``chat.backend``."""
        from ollama_cli.api.model_ref import ModelRef
        from ollama_cli.api.place import model_place
        from ollama_cli.chat.backend import Opened

        context, reference = self._context, ModelRef.parse(model)
        place = model_place(context.settings, reference, cloud=self._options.cloud)
        if place.kind == "cloud":
            active = context.given_credential(place) or context.wallet.ensure(context.key_name(place))
            return Opened(reference, reference.base, place, active, context.client(place, active))
        credential = context.daemon_credential(place)
        return Opened(reference, model.strip(), place, credential, context.client(place, credential))

    def daemon(self) -> OllamaClient:
        """The daemon that makes models."""
        from ollama_cli.api.place import daemon_place

        place = daemon_place(self._context.settings)
        return self._context.client(place, self._context.daemon_credential(place))

    def explained(self, error: CliError, opened: Opened) -> CliError:
        """An error with the way out that its server has."""
        from ollama_cli.account.refusal import daemon_refusal, refusal
        from ollama_cli.commands.run.finding import no_daemon

        if isinstance(error, SignInError) and error.code != "clock_wrong":
            if opened.in_cloud:
                return refusal(opened.active, self._context.link_for(opened.place, opened.active), error)
            return daemon_refusal(opened.place.base_url, opened.active, error)
        if isinstance(error, UnavailableError) and not opened.in_cloud:
            return no_daemon(error, opened.place, opened.reference)
        return error

    def fetched(self, opened: Opened) -> Opened:
        """Have a daemon load a missing model, or take the cloud's of that name."""
        from ollama_cli.commands.run.finding import load_model

        loaded = load_model(
            self._context, opened.client, opened.name, opened.reference, insecure=self._options.insecure
        )
        return opened if loaded else self.open(opened.reference.cloud_twin)

    def sign_in(self, opened: Opened, refused: SignInError) -> None:
        """Sign in at ollama.com after a refusal, if a person agrees."""
        from ollama_cli.commands.run.signing_in import sign_in_or_raise

        if opened.in_cloud and opened.active is not None and refused.code != "clock_wrong":
            sign_in_or_raise(self._context, opened.place, opened.active, refused)
        else:
            raise self.explained(refused, opened)

    def answered(self, opened: Opened) -> None:
        """Remember that this device was seen on an account."""
        if opened.in_cloud:
            self._context.note_signed_in(opened.place, opened.active)


def require_chat(context: Context, options: RunOptions) -> None:
    """Refuse a chat where nobody could hold it.

    Raises:
        UsageError: A stream is no terminal, or an option asks for one answer.
    """
    streams = context.streams
    one_answer = (
        options.as_json or options.as_json_lines or options.output or options.schema or options.timeout is not None
    )
    if one_answer or not (streams.interactive and streams.out.isatty()):
        raise UsageError("There is no prompt.", hint=f'Such as: ollama-cli run {options.model} "Why is the sky blue?"')


def _history_file(context: Context) -> Path:
    folder = context.sandbox_dir if context.options.sandbox else context.settings.data_dir
    return folder / "chat_history"

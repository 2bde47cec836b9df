"""Asking one server for something, and what is done where it refuses the sign-in, or no daemon answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ollama_cli.errors import SignInError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Active

_Answer = TypeVar("_Answer")


def ask(
    context: Context,
    place: Place,
    question: Callable[[OllamaClient], _Answer],
    *,
    instead: str | None = None,
) -> tuple[_Answer, Active | None]:
    """Ask a server; at ollama.com, sign in on the way where a person is there to do it.

    Args:
        context: What the command works with.
        place: The server.
        question: Asks it; it is called a second time after a sign-in.
        instead: What else can be done where no daemon answers; see ``daemon.no_daemon``. None is to ask ollama.com.

    Returns:
        The answer, and the credential that it was asked with.

    Raises:
        SignInError: The server refuses the credential, or is itself not signed in.
        UnavailableError: No daemon answers.
    """
    if place.kind == "daemon":
        if instead is None:
            instead = "" if context.settings.no_cloud else "ask ollama.com with --cloud."
        return _ask_daemon(context, place, question, instead)
    return _ask_cloud(context, place, question)


def _ask_cloud(
    context: Context, place: Place, question: Callable[[OllamaClient], _Answer]
) -> tuple[_Answer, Active | None]:
    active = context.cloud_credential(place)
    try:
        answer = question(context.client(place, active))
    except SignInError as refused:
        if refused.code == "clock_wrong":
            raise
        from ollama_cli.commands.shared.signin_when_refused import sign_in_or_raise

        sign_in_or_raise(context, place, active, refused)
        active = context.cloud_credential(place)
        answer = question(context.client(place, active))
    context.note_used(place, active)
    return answer, active


def _ask_daemon(
    context: Context, place: Place, question: Callable[[OllamaClient], _Answer], instead: str
) -> tuple[_Answer, Active | None]:
    from ollama_cli.commands.shared.daemon import explaining_daemon

    active = context.daemon_credential(place)
    with explaining_daemon(place, active, instead):
        answer = question(context.client(place, active))
    context.note_used(place, active)
    return answer, active

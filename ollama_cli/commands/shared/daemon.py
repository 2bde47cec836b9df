"""A daemon as a command meets it: one that does not answer, and one that refuses, with the way out of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ollama_cli.errors import CliError, ModelNotFoundError, SignInError, UnavailableError, UsageError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Active
    from ollama_cli.settings import Settings


def no_daemon(error: UnavailableError, place: Place, instead: str = "") -> CliError:
    """The error for a daemon that does not answer: where none runs, how to start one, and what can be done without.

    Args:
        error: What happened.
        place: Where the daemon should be.
        instead: What else can be done, as the end of a sentence; nothing where there is nothing.
    """
    if error.code != "connection_refused":
        return error
    return UnavailableError(
        f"No Ollama server answers at {place.base_url}.",
        hint=f"Start one with `ollama serve`, or {instead}" if instead else "Start one with `ollama serve`.",
        code="no_daemon",
    )


def at_ollama_com(settings: Settings, words: str, command: str) -> str:
    """What else can be done where no daemon answers, at ollama.com; nothing where that is switched off.

    Args:
        settings: Say whether it is, and whether a server is named: then the command goes there unless told otherwise.
        words: What is done.
        command: What to type after ``ollama-cli``.
    """
    if settings.no_cloud:
        return ""
    return f"{words}: `ollama-cli {command}{' --cloud' if settings.names_daemon else ''}`"


OF_THE_SERVER = "`ollama-cli list` shows the models that it has."


@contextmanager
def explaining_daemon(place: Place, active: Active | None, instead: str = "") -> Iterator[None]:
    """Tell a daemon's failures with the way out.

    Args:
        place: The daemon.
        active: What requests to it carry.
        instead: What else can be done; see ``no_daemon``.

    Raises:
        UnavailableError: It does not answer.
        SignInError: It is not signed in, or does not take our credential.
    """
    from ollama_cli.account.refusal import daemon_refusal

    try:
        yield
    except UnavailableError as error:
        raise no_daemon(error, place, instead) from error
    except SignInError as error:
        raise daemon_refusal(place.base_url, active, error) from error


@contextmanager
def changing_daemon(
    context: Context, command: str, *, instead: str = "", where_models_are: str | None = OF_THE_SERVER
) -> Iterator[OllamaClient]:
    """A client for the daemon whose models a command works on; ollama.com's are not ours to work on.

    Args:
        context: What the command works with.
        command: What it is called.
        instead: What else can be done where no daemon answers; see ``no_daemon``.
        where_models_are: The hint where there is no such model; None leaves the error's own.

    Raises:
        UsageError: Where commands act now is ollama.com.
        ModelNotFoundError: The daemon has no such model.
    """
    from ollama_cli.api.place import general_place
    from ollama_cli.commands.shared.near_names import suggest_near_name

    place = general_place(context.settings)
    if place.kind == "cloud":
        raise UsageError(
            f"`{command}` works on the models of an Ollama server, and ollama.com stands in its place here.",
            hint="Without --sandbox, and with OLLAMA_HOST unset or naming a server of yours, it acts there.",
        )
    active = context.daemon_credential(place)
    try:
        with explaining_daemon(place, active, instead):
            yield context.client(place, active)
    except ModelNotFoundError as error:
        if where_models_are is not None:
            error.hint = where_models_are
            suggest_near_name(context, place, error)
        raise

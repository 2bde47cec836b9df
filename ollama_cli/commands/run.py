"""``run``: ask a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.errors import SignInError, UnavailableError, UsageError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Active


@dataclass(frozen=True)
class RunOptions:
    """What the command line of ``run`` says.

    Attributes:
        model: The model, as typed.
        words: The prompt's words.
        cloud: Whether to ask ollama.com whatever the name and OLLAMA_HOST say.
        hide_thinking: Whether to show only the answer.
    """

    model: str
    words: tuple[str, ...] = ()
    cloud: bool = False
    hide_thinking: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", cls=Command)(run_command)


def run_command(
    typer_context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False)],
    words: Annotated[list[str] | None, typer.Argument(metavar="[PROMPT]...", show_default=False)] = None,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Run the model at ollama.com, whatever its name says.")
    ] = False,
    hide_thinking: Annotated[
        bool, typer.Option("--hidethinking", help="Show the answer only, not what the model thought.")
    ] = False,
) -> None:
    """Ask a model, and print its answer as it arrives.

    The prompt's words are joined; what is piped in stands before them. A model whose name ends in -cloud or :cloud
    runs at ollama.com; another is asked of the Ollama server on this machine.
    """
    run(typer_context.obj, RunOptions(model, tuple(words or ()), cloud, hide_thinking))


def run(context: Context, options: RunOptions) -> None:
    """Print one answer to one prompt.

    Raises:
        SignInError: The server refuses the credential, and nobody is there to sign in.
        AnswerError: The answer broke off; what came of it is printed.
    """
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.api.place import model_place

    model = ModelRef.parse(options.model)
    prompt = _text(" ".join((*filter(None, [context.streams.piped_input()]), *options.words)))
    if not prompt:
        raise UsageError("There is no prompt.", hint=f'Such as: ollama-cli run {options.model} "Why is the sky blue?"')
    place = model_place(context.settings, model, cloud=options.cloud)
    body = {"model": _text(model.base if place.kind == "cloud" else options.model.strip()), "prompt": prompt}
    if place.kind == "daemon":
        try:
            _stream(context, place, context.daemon_credential(place), body, options)
        except UnavailableError as error:
            raise _no_daemon(error, place, model) from error
        except SignInError as error:
            raise _daemon_not_signed_in(error, place) from error
        return
    # Without any credential, a key is made now: the link that the refused request leads to is this key's.
    active = context.given_credential(place) or context.wallet.ensure(context.key_name(place))
    try:
        _stream(context, place, active, body, options)
    except SignInError as refused:
        if refused.code == "clock_wrong":
            raise
        _sign_in_or_raise(context, place, active)
        _stream(context, place, active, body, options)


def _stream(context: Context, place: Place, active: Active | None, body: dict[str, str], options: RunOptions) -> None:
    from ollama_cli.terminal.answers import AnswerPrinter

    printer = AnswerPrinter(context.streams, show_thinking=not options.hide_thinking)
    try:
        for chunk in context.client(place, active).generate(body):
            printer.show(chunk)
    finally:
        printer.end()


def _sign_in_or_raise(context: Context, place: Place, active: Active) -> None:
    """After a refused request: sign in where a person is there and wants to, else say how."""
    from ollama_cli.account.refusal import refusal
    from ollama_cli.account.signin import SECONDS_FOR_A_PERSON, Waiting
    from ollama_cli.credentials.credential import ApiKey, StoredKey
    from ollama_cli.terminal.prompts import confirm

    link = None if isinstance(active.credential, ApiKey) else context.connect_link(place, active.credential)
    refused = refusal(active, link)
    waiting = Waiting(SECONDS_FOR_A_PERSON, browser=True, print_link=context.streams.say)
    if not isinstance(active, StoredKey):
        raise refused
    if not context.approves_itself:
        if not context.streams.interactive:
            raise refused
        context.streams.say(refused.message)
        if not confirm(context.streams, "Sign in now?", default=True):
            raise refused
    account, _ = context.sign_in(place, waiting)
    context.streams.say(f"Signed in as {clean_line(account.name)}.\n")


def _text(typed: str) -> str:
    """What was typed or piped, with what is no UTF-8 in it replaced, for a request holds UTF-8 only."""
    return typed.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _daemon_not_signed_in(error: SignInError, place: Place) -> SignInError:
    """A daemon refused as itself not signed in; its link is passed on where it leads to ollama.com."""
    from ollama_cli.signing.connect_link import key_in

    link = error.signin_url if error.signin_url and key_in(error.signin_url) else None
    return SignInError(
        f"The Ollama server at {place.base_url} is not signed in.",
        hint="Its link below signs that server in as a device of its own." if link else "Run `ollama-cli signin`.",
        signin_url=link,
    )


def _no_daemon(error: UnavailableError, place: Place, model: ModelRef) -> Exception:
    if error.code != "connection_refused":
        return error
    return UnavailableError(
        f"No Ollama server answers at {place.base_url}.",
        hint=f"Start one with `ollama serve`, or ask the cloud: ollama-cli run {model.cloud_twin}",
        code="no_daemon",
    )

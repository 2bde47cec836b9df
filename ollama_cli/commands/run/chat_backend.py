"""The program as a chat sees it: which server a model is asked of, as whom, and the way out of what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_cli.api.model_ref import ModelRef
from ollama_cli.errors import CliError, ModelNotFoundError, SignInError, UnavailableError, UsageError

if TYPE_CHECKING:
    from ollama_cli.chat.backend import Opened
    from ollama_cli.commands.run.options import RunOptions
    from ollama_cli.context import Context

_EXPORT = "/export FILE writes the conversation to a file."


class ContextBackend:
    """The program around a chat; ``chat/backend.py`` says what each of these is for.

    Args:
        context: What the command works with.
        options: What its command line says.
    """

    def __init__(self, context: Context, options: RunOptions) -> None:
        self._context = context
        self._options = options

    def open(self, model: str) -> Opened:
        """The server that is asked for a model."""
        from ollama_cli.api.place import model_place
        from ollama_cli.chat.backend import Opened

        context, reference = self._context, ModelRef.parse(model)
        place = model_place(context.settings, reference, cloud=self._options.cloud)
        in_cloud = place.kind == "cloud"
        name = reference.base if in_cloud else model.strip()
        active = context.cloud_credential(place) if in_cloud else context.daemon_credential(place)
        return Opened(
            reference, name, place, active, context.client(place, active), context.client(place, active, silent=True)
        )

    def run_name(self, opened: Opened) -> str:
        """A model as ``run`` takes it without further options."""
        return opened.reference.cloud_twin if opened.in_cloud else opened.name

    def create_model(self, body: Mapping[str, Any]) -> None:
        """Have the daemon make a model."""
        from ollama_cli.account.refusal import daemon_refusal
        from ollama_cli.api.place import general_place

        place = general_place(self._context.settings)
        if place.kind == "cloud":  # the daemon on this machine is not meant then, as with `create`
            raise UsageError(
                "An Ollama server makes models, and ollama.com stands in its place here.",
                hint=f"Without --sandbox, and with OLLAMA_HOST unset or naming a server of yours, it does; {_EXPORT}",
            )
        active = self._context.daemon_credential(place)
        try:
            for _ in self._context.client(place, active).create(dict(body)):
                pass
        except SignInError as error:
            raise daemon_refusal(place.base_url, active, error) from error
        except UnavailableError as error:
            if error.code != "connection_refused":
                raise
            raise UnavailableError(
                f"An Ollama server makes models, and none answers at {place.base_url}.",
                hint=f"Start one with `ollama serve`; {_EXPORT}",
                code="no_daemon",
            ) from error

    def explained(self, error: CliError, opened: Opened) -> CliError:
        """An error with the way out that its server has; what it says to type stays with that, and with the profile."""
        told = self._explained(error, opened)
        told.hint = told.hint and self._context.to_be_typed(told.hint, at_ollama_com=opened.in_cloud)
        return told

    def _explained(self, error: CliError, opened: Opened) -> CliError:
        from ollama_cli.account.refusal import daemon_refusal, refusal
        from ollama_cli.commands.shared.cloud_twin import twin_instead
        from ollama_cli.commands.shared.daemon import no_daemon
        from ollama_cli.commands.shared.near_names import suggest_near_name

        if isinstance(error, SignInError) and error.code != "clock_wrong":
            if opened.in_cloud:
                return refusal(opened.active, self._context.link_for(opened.place, opened.active), error)
            return daemon_refusal(opened.place.base_url, opened.active, error)
        if isinstance(error, ModelNotFoundError):
            suggest_near_name(self._context, opened.place, error)
        if isinstance(error, UnavailableError) and not opened.in_cloud:
            return no_daemon(error, opened.place, twin_instead(self._context.settings, "run", opened.reference))
        return error

    def model_names(self) -> Iterator[str]:
        """The names of the daemon's models, and of the cloud's with their suffix; first those that are remembered."""
        from ollama_cli.api.known_models import run_names
        from ollama_cli.api.place import model_sources

        places, known = model_sources(self._context.settings), self._context.known_models
        for place in places:
            yield from known.names(place.base_url)
        for place in places:
            with suppress(CliError):
                names = run_names(place, self._context.client(place, None, silent=True).models())
                known.note(place.base_url, names)
                yield from names

    def fetched(self, opened: Opened) -> Opened:
        """Have a daemon load a missing model, or take the cloud's of that name."""
        from ollama_cli.commands.run.finding import load_model

        loaded = load_model(
            self._context, opened.client, opened.name, opened.reference, insecure=self._options.insecure
        )
        return opened if loaded else self.open(opened.reference.cloud_twin)

    def sign_in(self, opened: Opened, refused: SignInError) -> Opened:
        """Sign in at ollama.com after a refusal, if a person agrees."""
        from ollama_cli.commands.shared.signin_when_refused import sign_in_or_raise

        context, place = self._context, opened.place
        if not opened.in_cloud or opened.active is None or refused.code == "clock_wrong":
            raise self.explained(refused, opened)
        sign_in_or_raise(context, place, opened.active, refused)
        active = context.cloud_credential(place)
        client, silent = context.client(place, active), context.client(place, active, silent=True)
        return replace(opened, active=active, client=client, silent_client=silent)

    def tell_fault(self, fault: Exception) -> None:
        """Say that something went wrong that should not."""
        from ollama_cli.terminal.errors import show_fault

        show_fault(self._context.streams, fault, as_json=False, debug=self._context.options.debug)

    def answered(self, opened: Opened) -> None:
        """Remember that this device was seen on an account."""
        self._context.note_used(opened.place, opened.active, signed_in=opened.in_cloud)

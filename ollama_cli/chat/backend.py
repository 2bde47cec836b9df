"""What a chat needs of the program around it: servers, and a way to sign in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.errors import CliError, SignInError


@dataclass(frozen=True)
class Opened:
    """A model, and the server that is asked for it. Nothing has been asked yet.

    Attributes:
        reference: The model, as a person named it.
        name: The model, as that server names it.
        place: The server.
        active: What requests to it carry, or None.
        client: Asks it.
        silent_client: Asks it while a person is typing, and tells nothing on the way.
    """

    reference: ModelRef
    name: str
    place: Place
    active: Active | None
    client: OllamaClient
    silent_client: OllamaClient

    @property
    def in_cloud(self) -> bool:
        """Whether the server is ollama.com itself."""
        return self.place.kind == "cloud"


class Backend(Protocol):
    """What a chat needs of the program around it."""

    def open(self, model: str) -> Opened:
        """The server that is asked for a model. It is not asked anything here.

        Raises:
            CliError: The name cannot be one, or its place is switched off.
        """

    def run_name(self, opened: Opened) -> str:
        """A model as ``run`` takes it without further options, so that a kept chat finds it again."""

    def create_model(self, body: Mapping[str, Any]) -> None:
        """Have the daemon make a model, whatever model is talked to.

        Args:
            body: The request of ``/api/create``.

        Raises:
            CliError: It was not made.
        """

    def explained(self, error: CliError, opened: Opened) -> CliError:
        """An error of a request, with the way out that this server has."""

    def model_names(self) -> Iterator[str]:
        """The names of models that can be asked, as a person types them; servers are asked for them, one by one."""

    def fetched(self, opened: Opened) -> Opened:
        """Have a daemon load a model that it does not have, or, if a person agrees, take the cloud's of that name.

        Raises:
            CliError: There is none.
        """

    def sign_in(self, opened: Opened, refused: SignInError) -> Opened:
        """Sign in after a refusal, if a person agrees; the same model, with the credential that then counts.

        Raises:
            SignInError: Nobody is signed in in the end.
        """

    def tell_fault(self, fault: Exception) -> None:
        """Say that something went wrong that should not, and where, if that is wanted."""

    def answered(self, opened: Opened) -> None:
        """Take note that the server took the credential."""

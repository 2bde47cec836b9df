"""A server asked for a short time only: a check that waits is no check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ollama_cli.errors import UnavailableError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.diagnosis.session import Session

SECONDS = 8.0
"""How long a server may take, further tries included."""


@contextmanager
def asking(session: Session, place: Place, active: Active | None) -> Iterator[OllamaClient]:
    """A client for a server, for ``SECONDS`` from now on.

    Args:
        session: How it is reached.
        place: The server.
        active: What requests to it carry, or None.

    Raises:
        UnavailableError: It took longer.
        UsageError: A proxy setting, or certificates that are named, cannot be used.
    """
    try:
        yield session.client(place, active, total_seconds=SECONDS, silent=not session.options.debug)
    except UnavailableError as error:
        if error.code != "timed_out":
            raise
        raise UnavailableError(
            f"{place.base_url} did not answer within {SECONDS:g} seconds.",
            hint="Check the network connection; or the server is busy, and may answer in a moment.",
            code="timed_out",
        ) from error

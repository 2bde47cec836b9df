"""What every route of one running sandbox shares."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request

from ollama_cli.sandbox.accounts import Accounts
from ollama_cli.sandbox.form_tokens import FormTokens
from ollama_cli.sandbox.journal import Journal
from ollama_cli.sandbox.registry_files import RegistryFiles
from ollama_cli.sandbox.registry_passes import RegistryPasses

DEFAULT_PACE: Final = 0.015
"""Seconds between the words of a streamed answer."""

SKEW: Final = "sandbox.skew"
"""The entry of a request's scope by which the server's clock is wrong, in seconds."""


@dataclass
class Sandbox:
    """One running sandbox.

    Attributes:
        accounts: Who may do what.
        base_url: Where it is served, without a slash at its end.
        pace: Seconds between the words of a streamed answer.
        now: Gives unix seconds.
        instance: A word that tells this run from every other.
        journal: The last requests.
        forms: The forms that were shown and not yet sent.
        registry_files: What its registry holds.
        registry_passes: What lets its devices in there.
    """

    accounts: Accounts
    base_url: str
    registry_files: RegistryFiles
    pace: float = DEFAULT_PACE
    now: Callable[[], float] = time.time
    instance: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    journal: Journal = field(default_factory=Journal)
    forms: FormTokens = field(default_factory=FormTokens)
    registry_passes: RegistryPasses = field(default_factory=RegistryPasses)

    def time_for(self, scope: MutableMapping[str, Any]) -> float:
        """What time it is for a request: a fault can put the server's clock wrong."""
        return self.now() + float(scope.get(SKEW, 0.0))


def sandbox_of(request: Request) -> Sandbox:
    """The sandbox that a request came to."""
    sandbox = request.app.state.sandbox
    assert isinstance(sandbox, Sandbox)  # noqa: S101 - Starlette's state is untyped
    return sandbox


def time_of(request: Request) -> int:
    """What time it is for a request, in unix seconds."""
    return int(sandbox_of(request).time_for(request.scope))

"""The names of models for completion: what is remembered, at once, while a process of its own asks the servers anew.

So Tab never waits for a server that is known. Where nothing was ever heard of one it waits for a moment, once a minute
at most. Nobody's credential is sent: the lists are anybody's to read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from ollama_cli.api.place import Place, cloud_place, daemon_place, general_place, model_sources
from ollama_cli.commands.completing import COMPLETE, REFRESH
from ollama_cli.commands.completing.surroundings import context_of
from ollama_cli.errors import CliError
from ollama_cli.settings import SECRET_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_cli.api.known_models import KnownModels
    from ollama_cli.commands.completing.cursor import Cursor
    from ollama_cli.settings import Settings

SECONDS_TO_WAIT = 0.4
_SECONDS_TO_ASK = 10.0
_FRESH_SECONDS = {"daemon": 10, "cloud": 3600}
_SECONDS_TO_NEXT_TRY = 60
_ON_A_DAEMON = frozenset({"stop", "cp", "rm", "ps", "create", "push"})
_OF_ONE_SERVER = frozenset({"list", "ls"})


def known_names(cursor: Cursor) -> list[str]:
    """The models that the command at the cursor could be given.

    Raises:
        CliError: The environment holds what cannot be used.
    """
    context = context_of(cursor)
    if context.options.sandbox:
        return _names_of_sandbox()
    places = _places(cursor, context.given_settings)
    known = context.known_models
    names = _names(known, places)
    return _names(known, places) if _waited_for_news(known, places) else names


def ask_servers(kinds: Sequence[str]) -> None:
    """Ask servers for their models, and remember them; nothing is told of one that fails.

    Args:
        kinds: Which: ``daemon``, ``cloud``.
    """
    from ollama_cli.api.known_models import run_names

    context = context_of(None)
    try:
        for kind in kinds:
            with suppress(CliError):
                place = daemon_place(context.settings) if kind == "daemon" else cloud_place(context.settings)
                client = context.client(place, None, total_seconds=_SECONDS_TO_ASK, silent=True)
                context.known_models.note(place.base_url, run_names(place, client.models()))
    finally:
        context.close()


def _places(cursor: Cursor, settings: Settings) -> list[Place]:
    """The servers that a command would ask."""
    cloud = "--cloud" in cursor.options
    if cloud or cursor.path[-1] in _OF_ONE_SERVER:
        return [general_place(settings, cloud=cloud)]
    places = model_sources(settings)
    return [place for place in places if place.kind == "daemon"] if cursor.path[-1] in _ON_A_DAEMON else places


def _names_of_sandbox() -> list[str]:
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.sandbox.models import MODELS

    return [ModelRef.parse(model.name).cloud_twin for model in MODELS]


def _names(known: KnownModels, places: Sequence[Place]) -> list[str]:
    return list(dict.fromkeys(name for place in places for name in known.names(place.base_url)))


def _waited_for_news(known: KnownModels, places: Sequence[Place]) -> bool:
    """Have servers asked anew whose names are not fresh; says whether the answer was waited for."""
    stale = [place for place in places if not known.asked_since(place.base_url, _fresh_seconds(known, place))]
    stale = [place for place in stale if known.note_asked(place.base_url)]  # else every Tab would ask
    if not stale:
        return False
    unheard = any(not known.was_listed(place.base_url) for place in stale)
    with suppress(OSError, subprocess.TimeoutExpired):  # where no process can be made, what is known has to do
        process = _start_asking(stale)
        if unheard:
            process.wait(SECONDS_TO_WAIT)
    return unheard


def _start_asking(places: Sequence[Place]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in SECRET_VARIABLES}
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(  # noqa: S603 - ourselves; with -P, for nothing is to be imported from this folder
        [sys.executable, "-P", "-m", "ollama_cli", COMPLETE, REFRESH, *(place.kind for place in places)],
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
        env=environment,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _fresh_seconds(known: KnownModels, place: Place) -> float:
    return _FRESH_SECONDS[place.kind] if known.was_listed(place.base_url) else _SECONDS_TO_NEXT_TRY

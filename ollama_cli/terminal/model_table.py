"""The models of a server as a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.tables import show_table
from ollama_cli.terminal.words import moment_of, size_in_words, time_in_words

if TYPE_CHECKING:
    from ollama_cli.api.model_list import ListedModel, RunningModel

_SHORT_DIGEST = 12


def show_models(streams: Streams, models: Iterable[ListedModel]) -> None:
    """Print the models: name, the beginning of the digest, size, and when each came."""
    rows = [
        (
            model.name,
            model.digest[:_SHORT_DIGEST],
            "-" if model.remote_host else size_in_words(model.size),
            time_in_words(moment_of(model.modified_at)),
        )
        for model in models
    ]
    show_table(streams, ("NAME", "ID", "SIZE", "MODIFIED"), rows)


def show_running(streams: Streams, models: Iterable[RunningModel]) -> None:
    """Print the models in a daemon's memory: name, digest, size, where they compute, context, and until when."""
    now = datetime.now(UTC)
    rows = [
        (
            model.name,
            model.digest[:_SHORT_DIGEST],
            size_in_words(model.size),
            processor(model.size, model.size_vram),
            str(model.context_length),
            _until(moment_of(model.expires_at), now),
        )
        for model in models
    ]
    show_table(streams, ("NAME", "ID", "SIZE", "PROCESSOR", "CONTEXT", "UNTIL"), rows)


def processor(size: int, size_vram: int) -> str:
    """Which part of a model computes where.

    Args:
        size: Bytes that it takes.
        size_vram: How many of them are a graphics card's.

    >>> processor(1000, 250)
    '75%/25% CPU/GPU'
    """
    if not size_vram:
        return "100% CPU"
    if size_vram == size:
        return "100% GPU"
    if not 0 < size_vram < size:
        return "Unknown"
    cpu = int((size - size_vram) / size * 100 + 0.5)
    return f"{cpu}%/{100 - cpu}% CPU/GPU"


def _until(moment: datetime | None, now: datetime) -> str:
    if moment is None or moment < now:
        return "Stopping..."
    return time_in_words(moment, now=now)

"""The models of a server as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ollama_cli.terminal.streams import Streams
from ollama_cli.terminal.tables import show_table
from ollama_cli.terminal.words import moment_of, size_in_words, time_in_words

if TYPE_CHECKING:
    from ollama_cli.api.model_list import ListedModel

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

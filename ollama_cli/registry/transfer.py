"""What loading a model and sending one begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_cli.api.model_name import ModelName
    from ollama_cli.registry.registry import Registry
    from ollama_cli.registry.store import ModelStore
    from ollama_cli.transport.retries import Retries

TRANSFERS = 16
"""How many parts are transferred at once, unless fewer are wanted."""


class Transfer:
    """A model on its way between a registry and a store.

    Args:
        name: The model, in both.
        registry: The one end.
        store: The other.
        retries: Tries the manifest again.
        transfers: How many parts are on their way at once.
    """

    def __init__(
        self,
        name: ModelName,
        registry: Registry,
        store: ModelStore,
        retries: Retries,
        transfers: int = TRANSFERS,
    ) -> None:
        self._name = name
        self._registry = registry
        self._store = store
        self._retries = retries
        self._transfers = transfers

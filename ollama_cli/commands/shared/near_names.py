"""Where there is no model of a name: the one that may have been meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.errors import ModelNotFoundError


def suggest_near_name(context: Context, place: Place, missing: ModelNotFoundError) -> None:
    """Have the error for a missing model name one of the server's that is called nearly so, where one is known.

    No server is asked: what is known is what was listed or used before.
    """
    from ollama_cli.api.model_ref import ModelRef

    if not missing.model:
        return
    name = ModelRef.parse(missing.model).cloud_twin if place.kind == "cloud" else missing.model
    near = context.known_models.near(place.base_url, name)
    if near is not None:
        missing.hint = " ".join(filter(None, (f"Did you mean {near}?", missing.hint)))

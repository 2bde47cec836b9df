"""The names of models that servers were seen to have, remembered in the cache for completion.

Whatever lists models notes them here, so that completing a name asks no server. The file may be gone, damaged or of
anybody's making at any time: what is no plain name in it does not count, and nothing that goes wrong here is an error.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_cli.credentials.files import read_file, refuse_unsafe, write_atomically
from ollama_cli.errors import StoreError

if TYPE_CHECKING:
    from ollama_cli.api.model_list import ListedModel
    from ollama_cli.api.place import Place
    from ollama_cli.settings import Settings

MOST_NAMES = 1000
"""Names that are kept of a server; ollama.com has a few dozen."""

_MOST_SERVERS = 8
_MOST_BYTES = 2_000_000
_END_OF_DATES = 253_402_300_800  # the year 10000, in unix seconds
_MUCH_LIKE_IT = 0.75  # of all that two names hold
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")


def is_plain(name: str) -> bool:
    """Whether a name holds only what the names of models hold, and so means nothing to a terminal or a shell."""
    return _PLAIN.fullmatch(name) is not None


def run_names(place: Place, models: Iterable[ListedModel]) -> list[str]:
    """How ``run`` takes the models that a server lists: the cloud's with the suffix that says so.

    Raises:
        UsageError: A model of the cloud has a name that cannot be asked for.
    """
    from ollama_cli.api.model_list import with_cloud_names

    return [model.name for model in (with_cloud_names(models) if place.kind == "cloud" else models)]


class KnownModels:
    """The names by server.

    Args:
        path: The file; it need not be there. Without one nothing is remembered.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @classmethod
    def of(cls, settings: Settings | None) -> KnownModels:
        """What is kept where the environment says; without one, or without a home folder, nothing."""
        try:
            return cls(settings.cache_dir / "models.json" if settings is not None else None)
        except StoreError:
            return cls(None)

    def names(self, server: str) -> list[str]:
        """What is known of a server, by its URL, as ``run`` takes it."""
        return list(self._read().get(server, {}).get("names", []))

    def note(self, server: str, names: Iterable[str]) -> None:
        """Remember all that a server has, in place of what was known of it."""
        plain = sorted(set(filter(is_plain, names)))[:MOST_NAMES]
        now = int(time.time())
        self._change(server, {"asked_at": now, "listed_at": now, "names": plain})

    def note_one(self, server: str, name: str) -> None:
        """Remember that a server has a model."""
        known = self._read().get(server, {})
        names = known.get("names", [])
        if is_plain(name) and name not in names and len(names) < MOST_NAMES:
            self._change(server, {**known, "names": sorted([*names, name])})

    def forget_one(self, server: str, name: str) -> None:
        """Remember that a server no longer has a model."""
        known = self._read().get(server, {})
        names = known.get("names", [])
        if name in names:
            self._change(server, {**known, "names": [other for other in names if other != name]})

    def near(self, server: str, name: str) -> str | None:
        """The model of a server that is called most like a name which none has; None where none is called nearly so.

        Where the whole names are too different, what stands before their tags is compared.
        """
        others = [known for known in self.names(server) if known != name]
        whole, families = {known: known for known in others}, {_family(known): known for known in reversed(others)}
        return _nearest(name, whole) or _nearest(_family(name), families)

    def asked_since(self, server: str, seconds: float) -> bool:
        """Whether a server was asked for its models within the last seconds."""
        asked_at: int = self._read().get(server, {}).get("asked_at", 0)
        return 0 <= time.time() - asked_at < seconds

    def was_listed(self, server: str) -> bool:
        """Whether a server ever told all its models."""
        return "listed_at" in self._read().get(server, {})

    def note_asked(self, server: str) -> bool:
        """Remember that a server is asked now; says whether that could be remembered."""
        return self._change(server, {**self._read().get(server, {}), "asked_at": int(time.time())})

    def _read(self) -> dict[str, dict[str, Any]]:
        if self._path is None:
            return {}
        try:
            refuse_unsafe(self._path.parent)
            refuse_unsafe(self._path)
            if self._path.stat().st_size > _MOST_BYTES:
                return {}
            content = json.loads(read_file(self._path))
        except (OSError, StoreError, ValueError, RecursionError):
            return {}
        servers = content.get("servers") if isinstance(content, dict) else None
        if not isinstance(servers, dict):
            return {}
        return {server: _sound(known) for server, known in servers.items() if isinstance(known, dict)}

    def _change(self, server: str, known: dict[str, Any]) -> bool:
        if self._path is None:
            return False
        servers = {**self._read(), server: known}
        latest = sorted(servers, key=lambda name: servers[name].get("asked_at", 0), reverse=True)[:_MOST_SERVERS]
        content = {"servers": {name: servers[name] for name in {server: None} | dict.fromkeys(latest)}}
        try:
            refuse_unsafe(self._path.parent)
            write_atomically(self._path, json.dumps(content), durable=False)
        except StoreError:
            return False
        return True


def _family(name: str) -> str:
    return name.partition(":")[0]


def _nearest(name: str, models: Mapping[str, str]) -> str | None:
    """The model under the name that is most like another one, if any is much like it."""
    from difflib import get_close_matches

    found = get_close_matches(name, models, n=1, cutoff=_MUCH_LIKE_IT)
    return models[found[0]] if found else None


def _sound(known: dict[str, Any]) -> dict[str, Any]:
    """What can be used of what is written about a server."""
    times = {name: known[name] for name in ("asked_at", "listed_at") if _is_time(known.get(name))}
    names = known.get("names")
    plain = [name for name in names if isinstance(name, str) and is_plain(name)] if isinstance(names, list) else []
    return {**times, "names": plain[:MOST_NAMES]}


def _is_time(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < _END_OF_DATES

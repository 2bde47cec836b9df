"""What a server counted and timed while it answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ollama_cli.api.durations import format_duration

_SECOND = 10**9


class Statistics(NamedTuple):
    """The counts, in tokens, and durations, in nanoseconds, of an answer's last chunk; 0 where the server gave none."""

    total_duration: int = 0
    load_duration: int = 0
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0

    @classmethod
    def from_answer(cls, content: Mapping[str, Any]) -> Statistics:
        """Read them from a last chunk; what is no whole number counts as not given."""
        given = {name: content.get(name) for name in cls._fields}
        return cls(**{name: value for name, value in given.items() if type(value) is int and value > 0})

    def rows(self) -> Iterator[tuple[str, str]]:
        """Each figure that was given, by the name and in the form that the reference prints it with ``--verbose``."""
        for name in ("total_duration", "load_duration"):
            yield from self._row(name, format_duration(getattr(self, name)))
        for stage in ("prompt_eval", "eval"):
            count, duration = getattr(self, f"{stage}_count"), getattr(self, f"{stage}_duration")
            yield from self._row(f"{stage}_count", f"{count} token(s)")
            yield from self._row(f"{stage}_duration", format_duration(duration))
            if duration:
                yield f"{stage} rate".replace("_", " "), f"{count * _SECOND / duration:.2f} tokens/s"

    def _row(self, name: str, value: str) -> Iterator[tuple[str, str]]:
        if getattr(self, name):
            yield name.replace("_", " "), value

"""Model references: the name of a model, and whether its text says that it runs in the cloud or here.

>>> ModelRef.parse("gpt-oss:120b-cloud")
ModelRef(base='gpt-oss:120b', source='cloud', pull_name='gpt-oss:120b-cloud')
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from ollama_cli.errors import UsageError

Source: TypeAlias = Literal["cloud", "local", "unspecified"]


class ModelRef(NamedTuple):
    """A model as a person names it.

    Attributes:
        base: The name without a suffix that says where it runs; what ollama.com is asked for.
        source: ``cloud``, ``local``, or ``unspecified``.
        pull_name: The name that a daemon pulls: for a cloud model, the one spelling that its stub has.
    """

    base: str
    source: Source
    pull_name: str

    @classmethod
    def parse(cls, text: str) -> ModelRef:
        """Read a reference, as the reference client does.

        Raises:
            UsageError: It is empty, or names two places at once.
        """
        name = text.strip()
        if not name:
            raise UsageError("A model is needed.", hint="Such as gpt-oss:120b-cloud.")
        base, source = _split_source(name)
        if source == "unspecified":
            return cls(name, source, name)
        if _split_source(base)[1] != "unspecified":
            raise UsageError(f"{name!r} names two places to run at: use one of :cloud and :local.")
        if source == "local":
            return cls(base, source, base)
        tag = base.rpartition("/")[2].partition(":")
        return cls(base, source, f"{base}-cloud" if tag[1] else f"{base}:cloud")

    @property
    def cloud_twin(self) -> str:
        """How the same model is named where it runs in the cloud."""
        return self.pull_name if self.source == "cloud" else ModelRef.parse(f"{self.base}:cloud").pull_name


def _split_source(name: str) -> tuple[str, Source]:
    """Take the last ``:`` part off where it says where the model runs; a part with a slash in it is no tag."""
    base, colon, tag = name.rpartition(":")
    tag = tag.strip()
    if not colon or "/" in tag:
        return name, "unspecified"
    word = tag.lower()
    if word == "cloud":
        return base.strip(), "cloud"
    if word == "local":
        return base.strip(), "local"
    if word.endswith("-cloud"):
        return f"{base}:{tag[: -len('-cloud')]}", "cloud"
    return name, "unspecified"

"""Names of models as registries know them: host, namespace, model and tag, with what is left out filled in.

>>> ModelName.parse("ada/tiny")
ModelName(host='registry.ollama.ai', namespace='ada', model='tiny', tag='latest', scheme='https')
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ollama_cli.errors import UsageError

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"
WEB_SITE = "https://ollama.com"

_PARTS = {  # of letters, digits and a few others; the first is a letter, a digit or _
    "host": re.compile(r"\w[\w.:-]{0,349}", re.ASCII),
    "namespace": re.compile(r"\w[\w-]{0,79}", re.ASCII),
    "model": re.compile(r"\w[\w.-]{0,79}", re.ASCII),
    "tag": re.compile(r"\w[\w.-]{0,79}", re.ASCII),
}


@dataclass(frozen=True)
class ModelName:
    """A model's whole name.

    Attributes:
        host: The registry, with its port where it has one of its own.
        namespace: Whose model it is; ``library`` holds those that are nobody's.
        model: The model.
        tag: Which of its versions.
        scheme: How the registry is spoken to: https, unless the name says otherwise.
    """

    host: str
    namespace: str
    model: str
    tag: str
    scheme: str = "https"

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Read a name, as the reference client does: ``[[[SCHEME://]HOST/]NAMESPACE/]MODEL[:TAG]``.

        Raises:
            UsageError: It is no name of a model.
        """
        rest, tag = text, DEFAULT_TAG
        if text.rfind(":") > text.rfind("/"):
            rest, _, tag = text.rpartition(":")
        rest, slash, model = rest.rpartition("/")
        rest, host_slash, namespace = rest.rpartition("/")
        scheme, separator, host = rest.rpartition("://")
        name = cls(
            host if host_slash else DEFAULT_HOST,
            namespace if slash else DEFAULT_NAMESPACE,
            model,
            tag,
            scheme if separator else "https",
        )
        if not name.is_valid:
            raise UsageError(f"{text!r} is no name of a model.", hint="Such as tiny, tiny:1b or ada/tiny.")
        return name

    @property
    def is_valid(self) -> bool:
        """Whether each part is what such a part may be."""
        return all(pattern.fullmatch(getattr(self, part)) for part, pattern in _PARTS.items())

    @property
    def base_url(self) -> str:
        """Where the registry is."""
        return f"{self.scheme}://{self.host}"

    @property
    def repository(self) -> str:
        """Namespace and model, as they stand in a registry's paths."""
        return f"{self.namespace}/{self.model}"

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """The folders of a store below which its manifest stands, and the manifest's file; none of them leads out."""
        return self.host, self.namespace, self.model, self.tag

    @property
    def shortest(self) -> str:
        """The name without what goes without saying, but always with its tag."""
        named = f"{self.model}:{self.tag}"
        if self.host.lower() != DEFAULT_HOST:
            return f"{self.host}/{self.namespace}/{named}"
        return named if self.namespace.lower() == DEFAULT_NAMESPACE else f"{self.namespace}/{named}"

    def __str__(self) -> str:
        """The name as a person writes it."""
        return self.shortest.removesuffix(f":{DEFAULT_TAG}")

    @property
    def at_ollama_com(self) -> bool:
        """Whether its registry is Ollama's own, where an account of ollama.com counts."""
        return self.host.lower().endswith((".ollama.ai", ".ollama.com"))

    @property
    def web_page(self) -> str | None:
        """The page on which people see the model, where its registry is Ollama's own."""
        return f"{WEB_SITE}/{self}" if self.at_ollama_com else None

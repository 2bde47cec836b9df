"""The models that the sandbox pretends to have: one that thinks and calls tools, one that sees, one that embeds."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ollama_cli.api.model_ref import ModelRef
from ollama_cli.errors import UsageError

MODIFIED_AT = "2026-01-01T00:00:00Z"
MODIFIED_AT_SECONDS = 1767225600


@dataclass(frozen=True)
class Model:
    """A model, as lists and ``show`` tell it.

    Attributes:
        name: What ollama.com calls it.
        family: Its architecture.
        parameters: How many it would have.
        size: Bytes that it would take.
        context_length: Tokens that it would read at once.
        embedding_length: Numbers in one of its vectors.
        quantization: How it would be stored.
        capabilities: ``completion``, ``thinking``, ``tools``, ``vision``, ``embedding``.
    """

    name: str
    family: str
    parameters: int
    size: int
    context_length: int
    embedding_length: int
    quantization: str
    capabilities: tuple[str, ...]

    def can(self, capability: str) -> bool:
        """Whether it has a capability."""
        return capability in self.capabilities

    @property
    def details(self) -> dict[str, Any]:
        """The part that lists and ``show`` have in common."""
        billions = self.parameters / 1e9
        return {
            "parent_model": "",
            "format": "",
            "family": self.family,
            "families": [self.family],
            "parameter_size": f"{billions:.0f}B" if billions >= 1 else f"{billions * 1000:.0f}M",
            "quantization_level": self.quantization,
        }

    @property
    def digest(self) -> str:
        """A digest that is always the same for it."""
        return sha256(self.name.encode()).hexdigest()


MODELS = (
    Model(
        "gpt-oss:120b",
        "gptoss",
        116_829_156_672,
        65_369_818_941,
        131_072,
        2880,
        "MXFP4",
        ("completion", "tools", "thinking"),
    ),
    Model("gpt-oss:20b", "gptoss", 20_914_757_184, 13_780_173_734, 131_072, 2880, "MXFP4", ("completion", "thinking")),
    Model(
        "qwen3-coder:480b", "qwen3moe", 480_154_875_392, 510_489_040_589, 262_144, 6144, "BF16", ("completion", "tools")
    ),
    Model(
        "qwen3-vl:235b", "qwen3vlmoe", 235_093_634_560, 470_924_000_000, 262_144, 4096, "BF16", ("completion", "vision")
    ),
    Model("embeddinggemma:300m", "gemma3", 307_581_696, 621_875_917, 2048, 64, "BF16", ("embedding",)),
)  # fmt: skip - a table reads best a line a row


def find_model(name: str) -> Model:
    """The model of a name, with or without the suffix for the cloud; a name without a tag is the first that fits.

    ollama.com itself takes names without that suffix only. The reference's client sends them as they were typed, and
    is to work with the sandbox.

    Raises:
        RefusedError: There is none, or the name contradicts itself.
    """
    from ollama_cli.sandbox.refusals import RefusedError  # brings the web server, which the list does without

    try:
        base = ModelRef.parse(name).base.lower() if name.strip() else ""
    except UsageError as error:
        raise RefusedError(400, "invalid model name") from error
    for model in MODELS:
        if base in {model.name, model.name.partition(":")[0]}:
            return model
    raise RefusedError(404, f"model '{name}' not found")

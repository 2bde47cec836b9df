"""What a Modelfile asks for: the request that makes the model, and the files on this machine that go along."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ollama_cli.api.model_name import ModelName
from ollama_cli.api.model_ref import ModelRef
from ollama_cli.api.modelfile import Instruction
from ollama_cli.api.parameters import parse_parameter
from ollama_cli.commands.create.model_files import files_at
from ollama_cli.errors import UsageError

FILES, ADAPTERS, DRAFTS = "files", "adapters", "draft_files"
"""What files of a model can be, by the field of the request that names them."""

_WITHOUT_EFFECT = frozenset(
    {
        "penalize_newline",
        "low_vram",
        "f16_kv",
        "logits_all",
        "vocab_only",
        "use_mlock",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
    }
)
_TEXTS = frozenset({"template", "system", "renderer", "parser"})
_ENDINGS_OF_FILES = (".gguf", ".safetensors", ".bin", ".pth")
_NUMBER = r"(0|[1-9]\d*)"
_BEFORE = rf"({_NUMBER}|\d*[A-Za-z-][\dA-Za-z-]*)"  # a part of what says that a version is one before another
_BUILD = r"[\dA-Za-z-]+"
_VERSION = re.compile(
    rf"v?{_NUMBER}(\.{_NUMBER}(\.{_NUMBER}(-{_BEFORE}(\.{_BEFORE})*)?(\+{_BUILD}(\.{_BUILD})*)?)?)?", re.ASCII
)


@dataclass
class Recipe:
    """What a model is made from.

    Attributes:
        body: The fields of the request but for those that name files.
        files: The files, by the field that names them.
        warnings: What of the Modelfile has no effect.
    """

    body: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[Path]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def recipe_of(instructions: Sequence[Instruction], folder: Path) -> Recipe:
    """Follow a Modelfile's instructions.

    Args:
        instructions: What it says.
        folder: Where it stands, from which it names files.

    Raises:
        UsageError: An instruction cannot be followed; the message names its line.
    """
    recipe = Recipe()
    for instruction in instructions:
        try:
            _STEPS[instruction.name](recipe, instruction, folder)
        except UsageError as error:
            where = f"Line {instruction.line} of the Modelfile: "
            raise UsageError(f"{where}{error.message}", hint=error.hint, code=error.code) from error
    own = {path.resolve() for path in recipe.files.get(FILES, ())}
    for path in recipe.files.get(DRAFTS, ()):
        if path.resolve() in own:
            raise UsageError(f"DRAFT and FROM name the same file: {path}.", code="bad_modelfile")
    return recipe


def _from(recipe: Recipe, instruction: Instruction, folder: Path) -> None:
    text = _value_of(instruction)
    found = files_at(_path(text, folder))
    if found is not None:
        recipe.files.setdefault(FILES, []).extend(found)
        return
    if not _may_be_a_model(text):
        raise UsageError(
            f"there is no file {text}, and it is no name of a model.",
            hint="A file is looked for beside the Modelfile.",
            code="bad_file",
        )
    recipe.body["from"] = text


def _adapter(recipe: Recipe, instruction: Instruction, folder: Path) -> None:
    recipe.files[ADAPTERS] = _needed(instruction, folder)


def _draft(recipe: Recipe, instruction: Instruction, folder: Path) -> None:
    recipe.files.setdefault(DRAFTS, []).extend(_needed(instruction, folder))


def _text(recipe: Recipe, instruction: Instruction, _: Path) -> None:
    recipe.body[instruction.name] = instruction.value


def _license(recipe: Recipe, instruction: Instruction, _: Path) -> None:
    recipe.body.setdefault("license", []).append(instruction.value)


def _message(recipe: Recipe, instruction: Instruction, _: Path) -> None:
    message = {"role": instruction.argument, "content": instruction.value}
    recipe.body.setdefault("messages", []).append(message)


def _requires(recipe: Recipe, instruction: Instruction, _: Path) -> None:
    if not _VERSION.fullmatch(instruction.value):
        raise UsageError(f"{instruction.value!r} is no version.", hint="Such as 0.14.0.", code="bad_modelfile")
    recipe.body["requires"] = instruction.value.removeprefix("v")


def _parameter(recipe: Recipe, instruction: Instruction, _: Path) -> None:
    name = instruction.argument
    if name in _WITHOUT_EFFECT:
        recipe.warnings.append(f"The parameter {name} has no effect any more, and is left out.")
        return
    value = parse_parameter(name, [instruction.value])
    parameters = recipe.body.setdefault("parameters", {})
    parameters[name] = [*parameters.get(name, []), *value] if isinstance(value, list) else value


_Step = Callable[[Recipe, Instruction, Path], None]
_STEPS: dict[str, _Step] = {
    "from": _from,
    "adapter": _adapter,
    "draft": _draft,
    "license": _license,
    "message": _message,
    "requires": _requires,
    "parameter": _parameter,
    **dict.fromkeys(_TEXTS, _text),
}


def _value_of(instruction: Instruction) -> str:
    if not instruction.value:
        raise UsageError(f"{instruction.name.upper()} has no value.", code="bad_modelfile")
    return instruction.value


def _needed(instruction: Instruction, folder: Path) -> list[Path]:
    text = _value_of(instruction)
    found = files_at(_path(text, folder))
    if found is None:
        raise UsageError(f"there is no file {text}.", hint="It is looked for beside the Modelfile.", code="bad_file")
    return found


def _path(text: str, folder: Path) -> Path:
    try:
        return folder / Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text} names the home of somebody who is not known here.", code="bad_file") from error


def _may_be_a_model(text: str) -> bool:
    """Whether what is no file can be meant as the name of a model."""
    if "/" not in text and text.lower().endswith(_ENDINGS_OF_FILES):
        return False
    try:
        ModelName.parse(ModelRef.parse(text).base)
    except UsageError:
        return False
    return True
